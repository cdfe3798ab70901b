package postgres

import (
	"fmt"
	"os"
	"path/filepath"

	"recsys/infra/local/db/authority"
	"recsys/infra/local/db/daemon"
)

// tokens is as on RDS: any member of rds_iam needs a token, which travels as a password in the clear and so in TLS
// only. Others are trusted: certificates are for tests.
const tokens = `hostssl all +rds_iam 127.0.0.1/32 password
hostnossl all +rds_iam 127.0.0.1/32 reject
host all all 127.0.0.1/32 trust
`

// certify lays out the files with which the server speaks TLS.
func (s *Server) certify(certificate *authority.Certificate) error {
	if certificate == nil {
		return nil
	}
	dir := filepath.Join(s.Dir, "tls")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of the certificate: %w", err)
	}
	public, private, err := certificate.Write(dir)
	if err != nil {
		return err
	}
	hba := filepath.Join(dir, "pg_hba.conf")
	if err := os.WriteFile(hba, []byte(tokens), 0o644); err != nil {
		return fmt.Errorf("writing who may connect: %w", err)
	}
	s.secured = []string{"ssl=on", "ssl_cert_file=" + public, "ssl_key_file=" + private, "hba_file=" + hba}
	return daemon.Own(dir)
}
