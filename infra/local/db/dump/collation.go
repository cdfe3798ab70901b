package dump

import (
	"regexp"
	"strings"

	"recsys/infra/local/db/mysql"
)

// The collations of one engine that the other does not have:
// https://dev.mysql.com/doc/refman/9.7/en/charset-unicode-sets.html and
// https://mariadb.com/kb/en/supported-character-sets-and-collations/.
var (
	ofMySQL   = regexp.MustCompile(`(?i)^utf8mb4_(?:([a-z_]+)_)?0900_(bin|ai_ci|as_ci|as_cs)(?:_ks)?$`)
	ofMariaDB = regexp.MustCompile(`(?i)^(?:utf8mb[34]_)?uca1400_(?:([a-z0-9]+)_)?(?:nopad_)?(ai|as)_(ci|cs)$`)
)

// languages are the languages of MySQL's collations, and the names under which MariaDB has them. A language that is
// not here has no order of its own in MariaDB.
var languages = map[string]string{
	"cs": "czech", "da": "danish", "de_pb": "german2", "eo": "esperanto", "es": "spanish", "es_trad": "spanish2", "et": "estonian",
	"hr": "croatian", "bs": "croatian", "sr_latn": "croatian", "hu": "hungarian", "is": "icelandic", "la": "roman", "lt": "lithuanian",
	"lv": "latvian", "nb": "danish", "nn": "danish", "pl": "polish", "ro": "romanian", "sk": "slovak", "sl": "slovenian",
	"sv": "swedish", "tr": "turkish", "vi": "vietnamese",
}

// nearest returns the collation of the engine that compares most like one that it does not have, or nothing. It keeps
// apart all texts that the original keeps apart, so that unique keys hold: accents, case and spaces at the end.
func nearest(collation string, engine mysql.Engine) string {
	if engine == mysql.MariaDB {
		return nearestOfMariaDB(collation)
	}
	match := ofMariaDB.FindStringSubmatch(collation)
	switch {
	case match == nil:
		return ""
	case match[2] == "as" && match[3] == "ci":
		return "utf8mb4_0900_as_ci"
	case match[2] == "ai" && match[3] == "ci":
		return "utf8mb4_0900_ai_ci"
	}
	return "utf8mb4_0900_as_cs"
}

func nearestOfMariaDB(collation string) string {
	match := ofMySQL.FindStringSubmatch(collation)
	if match == nil {
		return ""
	}
	if strings.EqualFold(match[2], "bin") {
		return "utf8mb4_nopad_bin"
	}
	strength := "nopad_" + strings.ToLower(match[2])
	if language := languages[strings.ToLower(match[1])]; language != "" {
		strength = language + "_" + strength
	}
	return "utf8mb4_uca1400_" + strength
}
