//! The command line that every binary answers.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command};

/// What the operator asked of the binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Do the work.
    Run,
    /// Read the settings, reach everything that is needed, say so and exit.
    Check,
    /// Print the settings in force, secrets hidden, and exit.
    PrintSettings,
}

/// Reads the process's arguments. On `--help`, `--version` or a wrong argument it prints what
/// clap has to say and ends the process.
pub fn mode(service: &'static str, version: &'static str) -> Mode {
    mode_of(&command(service, version).get_matches())
}

/// As [`mode`], from the given arguments (the first is the program's name) and without ending
/// the process.
pub fn mode_from<I, A>(
    service: &'static str,
    version: &'static str,
    args: I,
) -> Result<Mode, clap::Error>
where
    I: IntoIterator<Item = A>,
    A: Into<OsString> + Clone,
{
    command(service, version)
        .try_get_matches_from(args)
        .map(|matches| mode_of(&matches))
}

/// The command as clap knows it, for a binary that adds subcommands of its own.
pub fn command(service: &'static str, version: &'static str) -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new(service)
        .version(version)
        .about("A service of Tinko. Settings come from the environment, and from the file that TINKO_CONFIG_FILE names.")
        .arg(flag(CHECK).help("Read the settings, reach what is needed, and exit"))
        .arg(
            flag(PRINT_SETTINGS)
                .conflicts_with(CHECK)
                .help("Print the settings in force with where each came from, secrets hidden, and exit"),
        )
}

/// What the given matches of [`command`] ask for.
pub fn mode_of(matches: &ArgMatches) -> Mode {
    if matches.get_flag(CHECK) {
        Mode::Check
    } else if matches.get_flag(PRINT_SETTINGS) {
        Mode::PrintSettings
    } else {
        Mode::Run
    }
}

const CHECK: &str = "check";
const PRINT_SETTINGS: &str = "print-settings";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Mode, clap::Error> {
        mode_from(
            "api",
            "0.1.0",
            std::iter::once("api").chain(args.iter().copied()),
        )
    }

    #[test]
    fn each_flag_asks_for_its_mode_and_none_runs() {
        assert_eq!(read(&[]).unwrap(), Mode::Run);
        assert_eq!(read(&["--check"]).unwrap(), Mode::Check);
        assert_eq!(read(&["--print-settings"]).unwrap(), Mode::PrintSettings);
    }

    #[test]
    fn an_unknown_argument_and_two_modes_at_once_are_refused() {
        assert!(
            read(&["--chek"])
                .unwrap_err()
                .to_string()
                .contains("--chek")
        );
        assert!(read(&["--check", "--print-settings"]).is_err());
    }
}
