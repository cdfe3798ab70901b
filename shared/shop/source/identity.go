package source

import (
	"crypto/sha256"
	"encoding/hex"

	"recsys/shared/contract/settings"
)

// Identity returns a hash that tells one source from another: host and database, or the setting Identity and database.
// Neither user nor password is in it. Errors are failure.InvalidInput and do not quote the DSN.
func Identity(s settings.Source) (string, error) {
	config, err := parse(s)
	if err != nil {
		return "", err
	}
	of := config.Addr
	if s.Identity != "" {
		of = s.Identity
	}
	sum := sha256.Sum256([]byte(of + "\n" + config.DBName))
	return hex.EncodeToString(sum[:8]), nil
}
