package mysql

import (
	"fmt"
	"os"
	"path/filepath"

	"recsys/infra/local/db/authority"
	"recsys/infra/local/db/daemon"
)

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
	s.secured = []string{"--ssl-cert=" + public, "--ssl-key=" + private}
	return daemon.Own(dir)
}
