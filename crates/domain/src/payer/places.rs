//! Where a phone number or a currency belongs: tables.

use chrono_tz::Tz;

use super::PhoneNumber;
use crate::money::Currency;

/// A country and a time zone in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Two letters of ISO 3166-1.
    pub(super) country: &'static str,
    /// The zone where most people of the place live.
    pub(super) zone: Tz,
}

/// Country codes of ITU-T E.164 (list of 2016-12-15), with the zone of most people there. One
/// may begin another (Kazakhstan's within Russia's): the longest that fits holds.
/// `+1` is told apart by [`BY_AREA_CODE`].
#[rustfmt::skip]
const BY_CALLING_CODE: &[(&str, &str, Tz)] = &[
    ("20", "EG", Tz::Africa__Cairo),
    ("27", "ZA", Tz::Africa__Johannesburg),
    ("30", "GR", Tz::Europe__Athens),
    ("31", "NL", Tz::Europe__Amsterdam),
    ("32", "BE", Tz::Europe__Brussels),
    ("33", "FR", Tz::Europe__Paris),
    ("34", "ES", Tz::Europe__Madrid),
    ("36", "HU", Tz::Europe__Budapest),
    ("39", "IT", Tz::Europe__Rome),
    ("40", "RO", Tz::Europe__Bucharest),
    ("41", "CH", Tz::Europe__Zurich),
    ("43", "AT", Tz::Europe__Vienna),
    ("44", "GB", Tz::Europe__London),
    ("45", "DK", Tz::Europe__Copenhagen),
    ("46", "SE", Tz::Europe__Stockholm),
    ("47", "NO", Tz::Europe__Oslo),
    ("48", "PL", Tz::Europe__Warsaw),
    ("49", "DE", Tz::Europe__Berlin),
    ("51", "PE", Tz::America__Lima),
    ("52", "MX", Tz::America__Mexico_City),
    ("53", "CU", Tz::America__Havana),
    ("54", "AR", Tz::America__Argentina__Buenos_Aires),
    ("55", "BR", Tz::America__Sao_Paulo),
    ("56", "CL", Tz::America__Santiago),
    ("57", "CO", Tz::America__Bogota),
    ("58", "VE", Tz::America__Caracas),
    ("60", "MY", Tz::Asia__Kuala_Lumpur),
    ("61", "AU", Tz::Australia__Sydney),
    ("62", "ID", Tz::Asia__Jakarta),
    ("63", "PH", Tz::Asia__Manila),
    ("64", "NZ", Tz::Pacific__Auckland),
    ("65", "SG", Tz::Asia__Singapore),
    ("66", "TH", Tz::Asia__Bangkok),
    ("7", "RU", Tz::Europe__Moscow),
    ("76", "KZ", Tz::Asia__Almaty),
    ("77", "KZ", Tz::Asia__Almaty),
    ("81", "JP", Tz::Asia__Tokyo),
    ("82", "KR", Tz::Asia__Seoul),
    ("84", "VN", Tz::Asia__Ho_Chi_Minh),
    ("86", "CN", Tz::Asia__Shanghai),
    ("90", "TR", Tz::Europe__Istanbul),
    ("91", "IN", Tz::Asia__Kolkata),
    ("92", "PK", Tz::Asia__Karachi),
    ("93", "AF", Tz::Asia__Kabul),
    ("94", "LK", Tz::Asia__Colombo),
    ("95", "MM", Tz::Asia__Yangon),
    ("98", "IR", Tz::Asia__Tehran),
    ("211", "SS", Tz::Africa__Juba),
    ("212", "MA", Tz::Africa__Casablanca),
    ("213", "DZ", Tz::Africa__Algiers),
    ("216", "TN", Tz::Africa__Tunis),
    ("218", "LY", Tz::Africa__Tripoli),
    ("220", "GM", Tz::Africa__Banjul),
    ("221", "SN", Tz::Africa__Dakar),
    ("222", "MR", Tz::Africa__Nouakchott),
    ("223", "ML", Tz::Africa__Bamako),
    ("224", "GN", Tz::Africa__Conakry),
    ("225", "CI", Tz::Africa__Abidjan),
    ("226", "BF", Tz::Africa__Ouagadougou),
    ("227", "NE", Tz::Africa__Niamey),
    ("228", "TG", Tz::Africa__Lome),
    ("229", "BJ", Tz::Africa__PortoNovo),
    ("230", "MU", Tz::Indian__Mauritius),
    ("231", "LR", Tz::Africa__Monrovia),
    ("232", "SL", Tz::Africa__Freetown),
    ("233", "GH", Tz::Africa__Accra),
    ("234", "NG", Tz::Africa__Lagos),
    ("235", "TD", Tz::Africa__Ndjamena),
    ("236", "CF", Tz::Africa__Bangui),
    ("237", "CM", Tz::Africa__Douala),
    ("238", "CV", Tz::Atlantic__Cape_Verde),
    ("239", "ST", Tz::Africa__Sao_Tome),
    ("240", "GQ", Tz::Africa__Malabo),
    ("241", "GA", Tz::Africa__Libreville),
    ("242", "CG", Tz::Africa__Brazzaville),
    ("243", "CD", Tz::Africa__Kinshasa),
    ("244", "AO", Tz::Africa__Luanda),
    ("245", "GW", Tz::Africa__Bissau),
    ("248", "SC", Tz::Indian__Mahe),
    ("249", "SD", Tz::Africa__Khartoum),
    ("250", "RW", Tz::Africa__Kigali),
    ("251", "ET", Tz::Africa__Addis_Ababa),
    ("252", "SO", Tz::Africa__Mogadishu),
    ("253", "DJ", Tz::Africa__Djibouti),
    ("254", "KE", Tz::Africa__Nairobi),
    ("255", "TZ", Tz::Africa__Dar_es_Salaam),
    ("256", "UG", Tz::Africa__Kampala),
    ("257", "BI", Tz::Africa__Bujumbura),
    ("258", "MZ", Tz::Africa__Maputo),
    ("260", "ZM", Tz::Africa__Lusaka),
    ("261", "MG", Tz::Indian__Antananarivo),
    ("262", "RE", Tz::Indian__Reunion),
    ("263", "ZW", Tz::Africa__Harare),
    ("264", "NA", Tz::Africa__Windhoek),
    ("265", "MW", Tz::Africa__Blantyre),
    ("266", "LS", Tz::Africa__Maseru),
    ("267", "BW", Tz::Africa__Gaborone),
    ("268", "SZ", Tz::Africa__Mbabane),
    ("269", "KM", Tz::Indian__Comoro),
    ("291", "ER", Tz::Africa__Asmara),
    ("297", "AW", Tz::America__Aruba),
    ("298", "FO", Tz::Atlantic__Faroe),
    ("299", "GL", Tz::America__Nuuk),
    ("350", "GI", Tz::Europe__Gibraltar),
    ("351", "PT", Tz::Europe__Lisbon),
    ("352", "LU", Tz::Europe__Luxembourg),
    ("353", "IE", Tz::Europe__Dublin),
    ("354", "IS", Tz::Atlantic__Reykjavik),
    ("355", "AL", Tz::Europe__Tirane),
    ("356", "MT", Tz::Europe__Malta),
    ("357", "CY", Tz::Asia__Nicosia),
    ("358", "FI", Tz::Europe__Helsinki),
    ("359", "BG", Tz::Europe__Sofia),
    ("370", "LT", Tz::Europe__Vilnius),
    ("371", "LV", Tz::Europe__Riga),
    ("372", "EE", Tz::Europe__Tallinn),
    ("373", "MD", Tz::Europe__Chisinau),
    ("374", "AM", Tz::Asia__Yerevan),
    ("375", "BY", Tz::Europe__Minsk),
    ("376", "AD", Tz::Europe__Andorra),
    ("377", "MC", Tz::Europe__Monaco),
    ("378", "SM", Tz::Europe__San_Marino),
    ("380", "UA", Tz::Europe__Kyiv),
    ("381", "RS", Tz::Europe__Belgrade),
    ("382", "ME", Tz::Europe__Podgorica),
    ("385", "HR", Tz::Europe__Zagreb),
    ("386", "SI", Tz::Europe__Ljubljana),
    ("387", "BA", Tz::Europe__Sarajevo),
    ("389", "MK", Tz::Europe__Skopje),
    ("420", "CZ", Tz::Europe__Prague),
    ("421", "SK", Tz::Europe__Bratislava),
    ("423", "LI", Tz::Europe__Vaduz),
    ("501", "BZ", Tz::America__Belize),
    ("502", "GT", Tz::America__Guatemala),
    ("503", "SV", Tz::America__El_Salvador),
    ("504", "HN", Tz::America__Tegucigalpa),
    ("505", "NI", Tz::America__Managua),
    ("506", "CR", Tz::America__Costa_Rica),
    ("507", "PA", Tz::America__Panama),
    ("509", "HT", Tz::America__PortauPrince),
    ("590", "GP", Tz::America__Guadeloupe),
    ("591", "BO", Tz::America__La_Paz),
    ("592", "GY", Tz::America__Guyana),
    ("593", "EC", Tz::America__Guayaquil),
    ("594", "GF", Tz::America__Cayenne),
    ("595", "PY", Tz::America__Asuncion),
    ("596", "MQ", Tz::America__Martinique),
    ("597", "SR", Tz::America__Paramaribo),
    ("598", "UY", Tz::America__Montevideo),
    ("599", "CW", Tz::America__Curacao),
    ("670", "TL", Tz::Asia__Dili),
    ("673", "BN", Tz::Asia__Brunei),
    ("675", "PG", Tz::Pacific__Port_Moresby),
    ("676", "TO", Tz::Pacific__Tongatapu),
    ("677", "SB", Tz::Pacific__Guadalcanal),
    ("678", "VU", Tz::Pacific__Efate),
    ("679", "FJ", Tz::Pacific__Fiji),
    ("685", "WS", Tz::Pacific__Apia),
    ("687", "NC", Tz::Pacific__Noumea),
    ("689", "PF", Tz::Pacific__Tahiti),
    ("850", "KP", Tz::Asia__Pyongyang),
    ("852", "HK", Tz::Asia__Hong_Kong),
    ("853", "MO", Tz::Asia__Macau),
    ("855", "KH", Tz::Asia__Phnom_Penh),
    ("856", "LA", Tz::Asia__Vientiane),
    ("880", "BD", Tz::Asia__Dhaka),
    ("886", "TW", Tz::Asia__Taipei),
    ("960", "MV", Tz::Indian__Maldives),
    ("961", "LB", Tz::Asia__Beirut),
    ("962", "JO", Tz::Asia__Amman),
    ("963", "SY", Tz::Asia__Damascus),
    ("964", "IQ", Tz::Asia__Baghdad),
    ("965", "KW", Tz::Asia__Kuwait),
    ("966", "SA", Tz::Asia__Riyadh),
    ("967", "YE", Tz::Asia__Aden),
    ("968", "OM", Tz::Asia__Muscat),
    ("970", "PS", Tz::Asia__Gaza),
    ("971", "AE", Tz::Asia__Dubai),
    ("972", "IL", Tz::Asia__Jerusalem),
    ("973", "BH", Tz::Asia__Bahrain),
    ("974", "QA", Tz::Asia__Qatar),
    ("975", "BT", Tz::Asia__Thimphu),
    ("976", "MN", Tz::Asia__Ulaanbaatar),
    ("977", "NP", Tz::Asia__Kathmandu),
    ("992", "TJ", Tz::Asia__Dushanbe),
    ("993", "TM", Tz::Asia__Ashgabat),
    ("994", "AZ", Tz::Asia__Baku),
    ("995", "GE", Tz::Asia__Tbilisi),
    ("996", "KG", Tz::Asia__Bishkek),
    ("998", "UZ", Tz::Asia__Tashkent),
];

/// Areas of the North American Numbering Plan by country and zone (general
/// knowledge, 2026-11). Every area that is not named is the first row's. An area
/// that two zones share counts as that of most of its people, and a mobile
/// phone keeps its area when its owner moves.
#[rustfmt::skip]
const BY_AREA_CODE: &[(&str, Tz, &[u16])] = &[
    ("US", Tz::America__New_York, &[]),
    ("US", Tz::America__Chicago, &[
        205, 210, 214, 217, 218, 219, 224, 225, 228, 235, 251, 254, 256, 262, 270, 274, 281,
        308, 309, 312, 314, 316, 318, 319, 320, 325, 327, 331, 334, 337, 346, 353, 361, 364,
        402, 405, 409, 414, 417, 430, 432, 447, 448, 457, 464, 469, 471, 479, 501, 504, 507,
        512, 515, 531, 534, 539, 557, 563, 572, 573, 580, 601, 605, 608, 612, 615, 618, 620,
        621, 629, 630, 636, 641, 651, 659, 660, 662, 682, 701, 708, 712, 713, 715, 726, 730,
        731, 737, 763, 769, 773, 779, 785, 806, 815, 816, 817, 830, 832, 847, 850, 861, 870,
        872, 901, 903, 913, 918, 920, 924, 931, 936, 938, 940, 945, 952, 956, 972, 975, 979,
        985,
    ]),
    ("US", Tz::America__Denver, &[
        208, 303, 307, 385, 406, 435, 505, 575, 719, 720, 801, 915, 970, 983, 986,
    ]),
    ("US", Tz::America__Phoenix, &[480, 520, 602, 623, 928]),
    ("US", Tz::America__Los_Angeles, &[
        206, 209, 213, 253, 279, 310, 323, 341, 350, 357, 360, 369, 408, 415, 424, 425, 442,
        458, 503, 509, 510, 530, 541, 559, 562, 564, 619, 626, 628, 650, 657, 661, 669, 702,
        707, 714, 725, 747, 760, 775, 805, 818, 820, 831, 837, 840, 858, 909, 916, 925, 949,
        951, 971,
    ]),
    ("US", Tz::America__Anchorage, &[907]),
    ("US", Tz::Pacific__Honolulu, &[808]),
    ("CA", Tz::America__Toronto, &[
        226, 249, 263, 289, 343, 354, 365, 367, 382, 416, 418, 437, 438, 450, 468, 514, 519,
        548, 579, 581, 613, 647, 683, 705, 742, 753, 807, 819, 873, 905, 942,
    ]),
    ("CA", Tz::America__Halifax, &[428, 506, 782, 902]),
    ("CA", Tz::America__St_Johns, &[709, 879]),
    ("CA", Tz::America__Winnipeg, &[204, 431, 584]),
    ("CA", Tz::America__Regina, &[306, 474, 639]),
    ("CA", Tz::America__Edmonton, &[368, 403, 587, 780, 825, 867]),
    ("CA", Tz::America__Vancouver, &[236, 250, 257, 604, 672, 778]),
    ("PR", Tz::America__Puerto_Rico, &[787, 939]),
    ("VI", Tz::America__St_Thomas, &[340]),
    ("GU", Tz::Pacific__Guam, &[671]),
    ("MP", Tz::Pacific__Saipan, &[670]),
    ("AS", Tz::Pacific__Pago_Pago, &[684]),
    ("AG", Tz::America__Antigua, &[268]),
    ("AI", Tz::America__Anguilla, &[264]),
    ("BB", Tz::America__Barbados, &[246]),
    ("BM", Tz::Atlantic__Bermuda, &[441]),
    ("BS", Tz::America__Nassau, &[242]),
    ("DM", Tz::America__Dominica, &[767]),
    ("DO", Tz::America__Santo_Domingo, &[809, 829, 849]),
    ("GD", Tz::America__Grenada, &[473]),
    ("JM", Tz::America__Jamaica, &[658, 876]),
    ("KN", Tz::America__St_Kitts, &[869]),
    ("KY", Tz::America__Cayman, &[345]),
    ("LC", Tz::America__St_Lucia, &[758]),
    ("MS", Tz::America__Montserrat, &[664]),
    ("SX", Tz::America__Lower_Princes, &[721]),
    ("TC", Tz::America__Grand_Turk, &[649]),
    ("TT", Tz::America__Port_of_Spain, &[868]),
    ("VC", Tz::America__St_Vincent, &[784]),
    ("VG", Tz::America__Tortola, &[284]),
];

/// Currencies that are spent in one country alone, but for lands of a few people.
#[rustfmt::skip]
const BY_CURRENCY: &[(&str, &str)] = &[
    ("AED", "AE"),
    ("AFN", "AF"),
    ("ALL", "AL"),
    ("AMD", "AM"),
    ("AOA", "AO"),
    ("ARS", "AR"),
    ("AUD", "AU"),
    ("AZN", "AZ"),
    ("BAM", "BA"),
    ("BDT", "BD"),
    ("BGN", "BG"),
    ("BHD", "BH"),
    ("BIF", "BI"),
    ("BND", "BN"),
    ("BOB", "BO"),
    ("BRL", "BR"),
    ("BWP", "BW"),
    ("BYN", "BY"),
    ("CAD", "CA"),
    ("CDF", "CD"),
    ("CLP", "CL"),
    ("CNY", "CN"),
    ("COP", "CO"),
    ("CRC", "CR"),
    ("CZK", "CZ"),
    ("DOP", "DO"),
    ("DZD", "DZ"),
    ("EGP", "EG"),
    ("ETB", "ET"),
    ("FJD", "FJ"),
    ("GBP", "GB"),
    ("GEL", "GE"),
    ("GHS", "GH"),
    ("GMD", "GM"),
    ("GNF", "GN"),
    ("GTQ", "GT"),
    ("GYD", "GY"),
    ("HKD", "HK"),
    ("HNL", "HN"),
    ("HTG", "HT"),
    ("HUF", "HU"),
    ("IDR", "ID"),
    ("ILS", "IL"),
    ("INR", "IN"),
    ("IQD", "IQ"),
    ("IRR", "IR"),
    ("ISK", "IS"),
    ("JMD", "JM"),
    ("JOD", "JO"),
    ("JPY", "JP"),
    ("KES", "KE"),
    ("KGS", "KG"),
    ("KHR", "KH"),
    ("KMF", "KM"),
    ("KRW", "KR"),
    ("KWD", "KW"),
    ("KZT", "KZ"),
    ("LAK", "LA"),
    ("LBP", "LB"),
    ("LKR", "LK"),
    ("LRD", "LR"),
    ("LSL", "LS"),
    ("LYD", "LY"),
    ("MDL", "MD"),
    ("MGA", "MG"),
    ("MKD", "MK"),
    ("MMK", "MM"),
    ("MNT", "MN"),
    ("MOP", "MO"),
    ("MRU", "MR"),
    ("MUR", "MU"),
    ("MVR", "MV"),
    ("MWK", "MW"),
    ("MXN", "MX"),
    ("MYR", "MY"),
    ("MZN", "MZ"),
    ("NAD", "NA"),
    ("NGN", "NG"),
    ("NIO", "NI"),
    ("NPR", "NP"),
    ("OMR", "OM"),
    ("PEN", "PE"),
    ("PGK", "PG"),
    ("PHP", "PH"),
    ("PKR", "PK"),
    ("PLN", "PL"),
    ("PYG", "PY"),
    ("QAR", "QA"),
    ("RON", "RO"),
    ("RSD", "RS"),
    ("RUB", "RU"),
    ("RWF", "RW"),
    ("SAR", "SA"),
    ("SCR", "SC"),
    ("SDG", "SD"),
    ("SEK", "SE"),
    ("SGD", "SG"),
    ("SLE", "SL"),
    ("SOS", "SO"),
    ("SRD", "SR"),
    ("SSP", "SS"),
    ("SYP", "SY"),
    ("SZL", "SZ"),
    ("THB", "TH"),
    ("TJS", "TJ"),
    ("TMT", "TM"),
    ("TND", "TN"),
    ("TRY", "TR"),
    ("TTD", "TT"),
    ("TWD", "TW"),
    ("TZS", "TZ"),
    ("UAH", "UA"),
    ("UGX", "UG"),
    ("UYU", "UY"),
    ("UZS", "UZ"),
    ("VND", "VN"),
    ("YER", "YE"),
    ("ZAR", "ZA"),
    ("ZMW", "ZM"),
];

/// Zones of currencies that several countries spend: where most payers are.
const ZONES_OF_SHARED_CURRENCIES: &[(&str, Tz)] = &[
    ("CHF", Tz::Europe__Zurich),
    ("DKK", Tz::Europe__Copenhagen),
    ("EUR", Tz::Europe__Berlin),
    ("MAD", Tz::Africa__Casablanca),
    ("NOK", Tz::Europe__Oslo),
    ("NZD", Tz::Pacific__Auckland),
    ("USD", Tz::America__New_York),
    ("XAF", Tz::Africa__Douala),
    ("XOF", Tz::Africa__Abidjan),
];

/// The place of a phone number.
pub(super) fn of_phone(phone: &PhoneNumber) -> Option<Place> {
    let digits = phone.expose().trim_start_matches('+');
    if let Some(national) = digits.strip_prefix('1') {
        return of_area(national);
    }
    BY_CALLING_CODE
        .iter()
        .filter(|(code, _, _)| digits.starts_with(code))
        .max_by_key(|(code, _, _)| code.len())
        .map(|(_, country, zone)| Place {
            country,
            zone: *zone,
        })
}

fn of_area(national: &str) -> Option<Place> {
    let area: Option<u16> = national.get(..3).and_then(|digits| digits.parse().ok());
    BY_AREA_CODE
        .iter()
        .find(|(_, _, areas)| area.is_some_and(|area| areas.contains(&area)))
        .or_else(|| BY_AREA_CODE.first())
        .map(|(country, zone, _)| Place {
            country,
            zone: *zone,
        })
}

/// The zone where most people of a country live, as far as the tables know it.
pub(super) fn zone_of_country(country: &str) -> Option<Tz> {
    let of_calling = BY_CALLING_CODE
        .iter()
        .map(|(_, country, zone)| (*country, *zone));
    let of_areas = BY_AREA_CODE
        .iter()
        .map(|(country, zone, _)| (*country, *zone));
    of_calling
        .chain(of_areas)
        .find(|(row, _)| *row == country)
        .map(|(_, zone)| zone)
}

/// The country that alone spends a currency.
pub(super) fn country_of_currency(currency: Currency) -> Option<&'static str> {
    BY_CURRENCY
        .iter()
        .find(|(code, _)| *code == currency.code())
        .map(|(_, country)| *country)
}

/// The zone where most people pay in a currency.
pub(super) fn zone_of_currency(currency: Currency) -> Option<Tz> {
    ZONES_OF_SHARED_CURRENCIES
        .iter()
        .find(|(code, _)| *code == currency.code())
        .map(|(_, zone)| *zone)
        .or_else(|| zone_of_country(country_of_currency(currency)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::payer::Country;

    fn place(number: &str) -> Option<(&'static str, Tz)> {
        let phone = PhoneNumber::parse(number).unwrap();
        of_phone(&phone).map(|place| (place.country, place.zone))
    }

    #[test]
    fn the_longest_code_that_fits_holds() {
        assert_eq!(place("+74951234567"), Some(("RU", Tz::Europe__Moscow)));
        assert_eq!(place("+77011234567"), Some(("KZ", Tz::Asia__Almaty)));
        assert_eq!(place("+2348012345678"), Some(("NG", Tz::Africa__Lagos)));
        assert_eq!(place("+99912345678"), None);
    }

    #[test]
    fn areas_of_one_country_code_are_told_apart() {
        assert_eq!(place("+12025550123"), Some(("US", Tz::America__New_York)));
        assert_eq!(place("+13125550123"), Some(("US", Tz::America__Chicago)));
        assert_eq!(
            place("+14155550123"),
            Some(("US", Tz::America__Los_Angeles))
        );
        assert_eq!(place("+18085550123"), Some(("US", Tz::Pacific__Honolulu)));
        assert_eq!(place("+16045550123"), Some(("CA", Tz::America__Vancouver)));
        assert_eq!(place("+18765550123"), Some(("JM", Tz::America__Jamaica)));
    }

    #[test]
    fn a_code_begins_another_only_where_a_country_shares_it() {
        for (a, _, _) in BY_CALLING_CODE {
            for (b, country, _) in BY_CALLING_CODE {
                let shared = *a == "7" && *country == "KZ";
                assert!(a == b || !b.starts_with(a) || shared, "{a} begins {b}");
            }
        }
        let codes: BTreeSet<_> = BY_CALLING_CODE.iter().map(|(code, _, _)| code).collect();
        assert_eq!(codes.len(), BY_CALLING_CODE.len());
        let areas: Vec<_> = BY_AREA_CODE
            .iter()
            .flat_map(|(_, _, areas)| *areas)
            .collect();
        assert_eq!(areas.iter().collect::<BTreeSet<_>>().len(), areas.len());
    }

    #[test]
    fn every_country_and_currency_in_the_tables_exists() {
        let countries = BY_CALLING_CODE
            .iter()
            .map(|(_, country, _)| *country)
            .chain(BY_AREA_CODE.iter().map(|(country, _, _)| *country))
            .chain(BY_CURRENCY.iter().map(|(_, country)| *country));
        for country in countries {
            assert!(Country::parse(country).is_ok(), "{country}");
        }
        let shared = ZONES_OF_SHARED_CURRENCIES.iter().map(|(code, _)| *code);
        for code in BY_CURRENCY.iter().map(|(code, _)| *code).chain(shared) {
            assert!(Currency::parse(code).is_ok(), "{code}");
        }
    }

    #[test]
    fn every_country_of_a_currency_has_a_zone() {
        for (code, country) in BY_CURRENCY {
            assert!(zone_of_country(country).is_some(), "{code} {country}");
        }
    }
}
