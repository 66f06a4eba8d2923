//! What a payer's reply asks for.

/// A reply that is a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
    /// Who writes, and how to stop.
    Help,
}

/// English: those that Twilio acts on by itself, with `OPTOUT` and `REVOKE`, which
/// it added for 47 CFR 64.1200(a)(10) (<https://help.twilio.com/articles/223134027>,
/// read 2026-11-25). French `ARRET` as Twilio has it; the other languages' words
/// are those that carriers and senders there print in their messages.
const STOP: &[&str] = &[
    "stop",
    "stopall",
    "stop all",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "optout",
    "opt out",
    "opt-out",
    "revoke",
    // French
    "arret",
    "arrêt",
    "arrete",
    "arrête",
    "arrêter",
    "désabonner",
    "desabonner",
    // German
    "stopp",
    "abmelden",
    "abbestellen",
    // Spanish
    "alto",
    "parar",
    "baja",
    "cancelar",
    // Hindi, in both scripts
    "रोकें",
    "रोको",
    "बंद",
    "बंद करें",
    "बंद करो",
    "roko",
    "band",
    "band karo",
];

const START: &[&str] = &["start", "unstop", "yes"];

const HELP: &[&str] = &["help", "info", "aide", "hilfe", "ayuda", "मदद"];

impl Reply {
    /// Reads a reply. Only a message that is nothing but the word is a command,
    /// as with the carriers: "please don't stop" is not one. Case, blanks and
    /// marks around it do not matter.
    pub fn read(text: &str) -> Option<Self> {
        let bare = text.trim_matches(|c: char| c.is_whitespace() || c.is_ascii_punctuation());
        let word = bare.to_lowercase();
        let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_in = |words: &[&str]| words.contains(&word.as_str());
        if is_in(STOP) {
            Some(Self::Stop)
        } else if is_in(START) {
            Some(Self::Start)
        } else if is_in(HELP) {
            Some(Self::Help)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_lone_word_is_a_command_whatever_its_case_and_marks() {
        for text in [
            "STOP",
            " stop. ",
            "Stop!",
            "\"STOP\"",
            "StopAll",
            "UNSUBSCRIBE",
            "cancel",
            "END",
            "quit",
            "ARRÊT",
            "Abmelden",
            "BAJA",
            "बंद",
            "Stop  All",
        ] {
            assert_eq!(Reply::read(text), Some(Reply::Stop), "{text}");
        }
        for text in ["START", "unstop", "Yes"] {
            assert_eq!(Reply::read(text), Some(Reply::Start), "{text}");
        }
        assert_eq!(Reply::read("Help?"), Some(Reply::Help));
    }

    #[test]
    fn a_sentence_is_no_command() {
        for text in [
            "",
            "please stop calling my shop",
            "don't stop",
            "no",
            "endless",
            "yes please",
        ] {
            assert_eq!(Reply::read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "\\PC{0,40}") {
            let _ = Reply::read(&text);
        }

        #[test]
        fn a_command_survives_blanks_around_it(before in "[ \t\r\n]{0,4}", after in "[ .!\n]{0,4}") {
            prop_assert_eq!(Reply::read(&format!("{before}STOP{after}")), Some(Reply::Stop));
        }
    }
}
