package dump_test

import (
	"fmt"
	"strings"
	"testing"
)

// collationsOfMySQL are those of MySQL 9.7 that MariaDB does not have, with "0900" left out of the names.
var collationsOfMySQL = strings.Fields(`ai_ci as_ci as_cs bin bg_ai_ci bg_as_cs bs_ai_ci cs_as_cs da_ai_ci de_pb_as_cs eo_ai_ci es_as_cs es_trad_ai_ci et_as_cs
	gl_ai_ci hr_as_cs hu_ai_ci is_as_cs ja_as_cs ja_as_cs_ks la_ai_ci lt_as_cs lv_ai_ci mn_cyrl_as_cs nb_ai_ci nn_as_cs pl_ai_ci ro_as_cs ru_ai_ci
	sk_as_cs sl_ai_ci sr_latn_as_cs sv_ai_ci tr_as_cs vi_ai_ci zh_as_cs`)

// Every collation of MySQL loads, and unique keys that hold there hold here.
func everyCollation(t *testing.T, s target) {
	text := shop + "CREATE TABLE old (a varchar(9) CHARACTER SET utf8 COLLATE utf8_general_ci, b varchar(9) COLLATE utf8mb4_unicode_520_ci);\n"
	for i, short := range collationsOfMySQL {
		at := max(strings.LastIndex(short, "_ai_"), strings.LastIndex(short, "_as_")) + 1 // 0 without a language
		collation := "utf8mb4_" + short[:at] + "0900_" + short[at:]
		text += fmt.Sprintf("CREATE TABLE c%d (a varchar(20) NOT NULL, UNIQUE KEY (a)) COLLATE=%s;\nINSERT INTO c%[1]d VALUES ('sale'),('sale '),('😀'),('😁');\n", i, collation)
		if strings.Contains(short, "_cs") || short == "bin" {
			text += fmt.Sprintf("INSERT INTO c%d VALUES ('SALE'),('é'),('e');\n", i)
		}
	}
	s.mustLoad(t, text)
}
