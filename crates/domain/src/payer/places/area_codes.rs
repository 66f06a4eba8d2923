//! Areas behind the country code `+1`.

use chrono_tz::Tz;

/// Areas of the North American Numbering Plan by country and zone (general
/// knowledge, 2026-11). Every area that is not named is the first row's. An area
/// that two zones share counts as that of most of its people, and a mobile
/// phone keeps its area when its owner moves.
#[rustfmt::skip]
pub(super) const BY_AREA_CODE: &[(&str, Tz, &[u16])] = &[
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
