//! Why a payment failed and what helps, in words that a payer understands and a
//! bystander may read.

use domain::{Category, Contact};

use crate::BuiltIn;

/// Why it failed. `None` where nothing is said: under the neutral rule no reason
/// is named to whoever reads the message, and a merchant's own fault is not the
/// payer's business.
pub(crate) fn reason(
    language: BuiltIn,
    category: Category,
    contact: Contact,
) -> Option<&'static str> {
    words(category, contact).map(|words| words.reason.of(language))
}

/// What the payer can do about it: one sentence, true of every failure of the
/// category. `None` where there is nothing to say but "pay here": wherever no
/// reason is given, and where it was nobody's fault, so that the same means may do.
pub(crate) fn advice(
    language: BuiltIn,
    category: Category,
    contact: Contact,
) -> Option<&'static str> {
    let words = words(category, contact)?;
    words.advice.as_ref().map(|advice| advice.of(language))
}

const fn words(category: Category, contact: Contact) -> Option<&'static Words> {
    if !matches!(contact, Contact::Normal) {
        return None;
    }
    match category {
        Category::InsufficientFunds => Some(FUNDS),
        Category::IssuerDecline => Some(DECLINED),
        Category::ExpiredCard => Some(EXPIRED),
        Category::InvalidDetails => Some(DETAILS),
        Category::AuthenticationRequired => Some(CONFIRM),
        Category::LimitExceeded => Some(LIMIT),
        Category::ProcessingError => Some(UNREACHED),
        Category::Network => Some(LOST),
        Category::UpiPending => Some(UPI_PENDING),
        Category::UpiDeclined => Some(UPI_DECLINED),
        Category::DoNotRetry
        | Category::Duplicate
        | Category::Configuration
        | Category::Unknown => None,
    }
}

/// Stands for a payer's name where it is not known: WhatsApp takes no empty parameter.
pub(crate) const fn payer_without_a_name(language: BuiltIn) -> &'static str {
    match language {
        BuiltIn::English => "there",
        BuiltIn::German => "liebe Kundin, lieber Kunde",
        BuiltIn::Spanish | BuiltIn::Portuguese => "cliente",
        BuiltIn::French => "cher client",
        BuiltIn::Hindi => "जी",
    }
}

/// One sentence in each language.
struct Said {
    en: &'static str,
    de: &'static str,
    es: &'static str,
    fr: &'static str,
    hi: &'static str,
    pt: &'static str,
}

impl Said {
    const fn of(&self, language: BuiltIn) -> &'static str {
        match language {
            BuiltIn::English => self.en,
            BuiltIn::German => self.de,
            BuiltIn::Spanish => self.es,
            BuiltIn::French => self.fr,
            BuiltIn::Hindi => self.hi,
            BuiltIn::Portuguese => self.pt,
        }
    }
}

struct Words {
    /// Ends a sentence such as "your payment did not go through: …".
    reason: Said,
    /// A sentence of its own.
    advice: Option<Said>,
}

const FUNDS: &Words = &Words {
    reason: Said {
        en: "there was not enough money in the account",
        de: "das Konto war nicht ausreichend gedeckt",
        es: "no había saldo suficiente en la cuenta",
        fr: "le solde du compte était insuffisant",
        hi: "खाते में पर्याप्त राशि नहीं थी",
        pt: "não havia saldo suficiente na conta",
    },
    advice: Some(Said {
        en: "Please check your balance, or use another means of payment.",
        de: "Bitte prüfen Sie Ihr Guthaben oder wählen Sie ein anderes Zahlungsmittel.",
        es: "Compruebe su saldo o use otro medio de pago.",
        fr: "Vérifiez votre solde ou utilisez un autre moyen de paiement.",
        hi: "कृपया अपना बैलेंस जाँचें या किसी दूसरे साधन का उपयोग करें।",
        pt: "Verifique o seu saldo ou use outro meio de pagamento.",
    }),
};

const DECLINED: &Words = &Words {
    reason: Said {
        en: "the bank declined it",
        de: "die Bank hat sie abgelehnt",
        es: "el banco lo rechazó",
        fr: "la banque l’a refusé",
        hi: "बैंक ने इसे अस्वीकार किया",
        pt: "o banco recusou",
    },
    advice: Some(Said {
        en: "Please use another card or means of payment, or ask your bank.",
        de: "Bitte wählen Sie eine andere Karte oder ein anderes Zahlungsmittel, oder fragen Sie Ihre Bank.",
        es: "Use otra tarjeta u otro medio de pago, o consulte a su banco.",
        fr: "Utilisez une autre carte ou un autre moyen de paiement, ou renseignez-vous auprès de votre banque.",
        hi: "कृपया किसी दूसरे कार्ड या साधन का उपयोग करें, या अपने बैंक से पूछें।",
        pt: "Use outro cartão ou outro meio de pagamento, ou consulte o seu banco.",
    }),
};

const EXPIRED: &Words = &Words {
    reason: Said {
        en: "the card has expired",
        de: "die Karte ist abgelaufen",
        es: "la tarjeta ha caducado",
        fr: "la carte a expiré",
        hi: "कार्ड की अवधि समाप्त हो चुकी है",
        pt: "o cartão expirou",
    },
    advice: Some(Said {
        en: "Please use a card that is still valid.",
        de: "Bitte nehmen Sie eine Karte, die noch gültig ist.",
        es: "Use una tarjeta que esté vigente.",
        fr: "Utilisez une carte encore valable.",
        hi: "कृपया ऐसे कार्ड का उपयोग करें जो अभी मान्य हो।",
        pt: "Use um cartão que ainda esteja válido.",
    }),
};

const DETAILS: &Words = &Words {
    reason: Said {
        en: "the card details were not right",
        de: "die Kartendaten stimmten nicht",
        es: "los datos de la tarjeta no eran correctos",
        fr: "les informations de la carte n’étaient pas correctes",
        hi: "कार्ड का विवरण सही नहीं था",
        pt: "os dados do cartão não estavam corretos",
    },
    advice: Some(Said {
        en: "Please enter the details once more, or use another means of payment.",
        de: "Bitte geben Sie die Daten noch einmal ein, oder wählen Sie ein anderes Zahlungsmittel.",
        es: "Introduzca los datos de nuevo o use otro medio de pago.",
        fr: "Saisissez-les à nouveau ou utilisez un autre moyen de paiement.",
        hi: "कृपया विवरण फिर से भरें या किसी दूसरे साधन का उपयोग करें।",
        pt: "Preencha os dados de novo ou use outro meio de pagamento.",
    }),
};

const CONFIRM: &Words = &Words {
    reason: Said {
        en: "the bank wants you to confirm it",
        de: "die Bank möchte sie von Ihnen bestätigt haben",
        es: "el banco pide que usted lo confirme",
        fr: "la banque vous demande de le confirmer",
        hi: "बैंक आपकी पुष्टि चाहता है",
        pt: "o banco pede a sua confirmação",
    },
    advice: Some(Said {
        en: "Please have your phone or bank app at hand to confirm it.",
        de: "Bitte halten Sie zum Bestätigen Ihr Telefon oder Ihre Bank-App bereit.",
        es: "Tenga a mano su teléfono o la aplicación de su banco para confirmarlo.",
        fr: "Gardez votre téléphone ou l’application de votre banque à portée de main pour confirmer.",
        hi: "कृपया पुष्टि के लिए अपना फ़ोन या बैंक ऐप पास रखें।",
        pt: "Tenha à mão o telefone ou o aplicativo do banco para confirmar.",
    }),
};

const LIMIT: &Words = &Words {
    reason: Said {
        en: "a limit of the card or account was reached",
        de: "ein Limit der Karte oder des Kontos war erreicht",
        es: "se alcanzó un límite de la tarjeta o de la cuenta",
        fr: "un plafond de la carte ou du compte a été atteint",
        hi: "कार्ड या खाते की सीमा पूरी हो गई",
        pt: "foi atingido um limite do cartão ou da conta",
    },
    advice: Some(Said {
        en: "Please use another card or account, or have your bank raise the limit.",
        de: "Bitte nehmen Sie eine andere Karte oder ein anderes Konto, oder lassen Sie das Limit erhöhen.",
        es: "Use otra tarjeta o cuenta, o pida a su banco que aumente el límite.",
        fr: "Utilisez une autre carte ou un autre compte, ou demandez à votre banque de relever le plafond.",
        hi: "कृपया किसी दूसरे कार्ड या खाते का उपयोग करें, या अपने बैंक से सीमा बढ़वाएँ।",
        pt: "Use outro cartão ou outra conta, ou peça ao seu banco que aumente o limite.",
    }),
};

const UNREACHED: &Words = &Words {
    reason: Said {
        en: "the bank could not be reached",
        de: "die Bank war nicht erreichbar",
        es: "no se pudo contactar con el banco",
        fr: "la banque n’était pas joignable",
        hi: "बैंक से संपर्क नहीं हो पाया",
        pt: "não foi possível contatar o banco",
    },
    advice: None,
};

const LOST: &Words = &Words {
    reason: Said {
        en: "the connection was lost",
        de: "die Verbindung wurde unterbrochen",
        es: "se perdió la conexión",
        fr: "la connexion a été interrompue",
        hi: "संपर्क टूट गया",
        pt: "a conexão foi interrompida",
    },
    advice: None,
};

const UPI_PENDING: &Words = &Words {
    reason: Said {
        en: "the UPI payment was not confirmed",
        de: "die UPI-Zahlung wurde nicht bestätigt",
        es: "el pago UPI no se confirmó",
        fr: "le paiement UPI n’a pas été confirmé",
        hi: "UPI भुगतान की पुष्टि नहीं हुई",
        pt: "o pagamento UPI não foi confirmado",
    },
    advice: Some(Said {
        en: "Please look into your UPI app first, and pay again only if no money has left your account.",
        de: "Bitte sehen Sie zuerst in Ihrer UPI-App nach, und zahlen Sie nur dann noch einmal, wenn nichts abgebucht wurde.",
        es: "Mire primero en su aplicación UPI y pague de nuevo solo si no se le ha cobrado nada.",
        fr: "Regardez d’abord dans votre application UPI, et ne payez à nouveau que si rien n’a été débité.",
        hi: "कृपया पहले अपना UPI ऐप देखें, और तभी दोबारा भुगतान करें जब आपके खाते से पैसे न कटे हों।",
        pt: "Veja primeiro no seu aplicativo UPI e pague de novo só se nada tiver sido debitado.",
    }),
};

const UPI_DECLINED: &Words = &Words {
    reason: Said {
        en: "the UPI payment was declined",
        de: "die UPI-Zahlung wurde abgelehnt",
        es: "el pago UPI fue rechazado",
        fr: "le paiement UPI a été refusé",
        hi: "UPI भुगतान अस्वीकार हुआ",
        pt: "o pagamento UPI foi recusado",
    },
    advice: Some(Said {
        en: "Please try again, or use another means of payment.",
        de: "Bitte versuchen Sie es noch einmal, oder wählen Sie ein anderes Zahlungsmittel.",
        es: "Inténtelo de nuevo o use otro medio de pago.",
        fr: "Réessayez ou utilisez un autre moyen de paiement.",
        hi: "कृपया फिर से कोशिश करें या किसी दूसरे साधन का उपयोग करें।",
        pt: "Tente de novo ou use outro meio de pagamento.",
    }),
};
