//! Takes the two files that the reference page needs out of the vendored Swagger UI,
//! so that the page works without the internet and the binary carries no source maps.

use std::fs::File;
use std::io::{self, Cursor};
use std::path::PathBuf;

use anyhow::Context;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

const FILES: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for file in FILES {
        let end = format!("/dist/{file}");
        let name = archive
            .file_names()
            .filter_map(Result::ok)
            .find(|name| name.ends_with(&end))
            .with_context(|| format!("the vendored Swagger UI has no {file}"))?
            .into_owned();
        let mut packed = archive.by_name(&name)?;
        io::copy(&mut packed, &mut File::create(out.join(file))?)?;
    }
    Ok(())
}
