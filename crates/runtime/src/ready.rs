//! Tells whoever started the process that it is up, and on which ports.

use std::{io, net::SocketAddr, path::Path};

use serde_json::{Map, Value, json};

use crate::settings::Common;

/// Logs the bound addresses and, where `TINKO__READY_FILE` is set, writes one JSON line there:
/// `{"addresses":{"admin":"127.0.0.1:40123"},"pid":77}`.
///
/// The file appears whole or not at all (it is written beside itself and renamed), so a script may
/// wait for it to exist and read it at once. An error is the file system's, naming the file.
pub fn announce(common: &Common, addresses: &[(&str, SocketAddr)]) -> io::Result<()> {
    let addresses: Map<String, Value> = addresses
        .iter()
        .map(|(name, address)| ((*name).to_owned(), json!(address.to_string())))
        .collect();
    let addresses = Value::Object(addresses);
    tracing::info!(%addresses, "started");
    let Some(file) = &common.ready_file else {
        return Ok(());
    };
    let line = json!({ "addresses": addresses, "pid": std::process::id() });
    write_whole(file, &format!("{line}\n")).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!(
                "the ready file {} could not be written: {error}",
                file.display()
            ),
        )
    })
}

fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{COMMON, load_from};

    fn with_ready_file(file: &Path) -> Common {
        let variable = (
            "TINKO__READY_FILE".to_owned(),
            file.to_str().unwrap().to_owned(),
        );
        load_from(&[COMMON], [variable].into_iter(), None).unwrap()
    }

    #[test]
    fn the_ready_file_holds_every_address_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let common = with_ready_file(&folder.path().join("api.json"));
        let addresses = [
            ("http", "127.0.0.1:8080".parse().unwrap()),
            ("admin", "127.0.0.1:9090".parse().unwrap()),
        ];
        announce(&common, &addresses).unwrap();
        let text = std::fs::read_to_string(folder.path().join("api.json")).unwrap();
        let line: Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(line["addresses"]["http"], "127.0.0.1:8080");
        assert_eq!(line["addresses"]["admin"], "127.0.0.1:9090");
        assert_eq!(line["pid"], std::process::id());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_ready_file_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("missing").join("api.json");
        let error = announce(&with_ready_file(&file), &[]).unwrap_err();
        assert!(
            error.to_string().contains(file.to_str().unwrap()),
            "{error}"
        );
    }
}
