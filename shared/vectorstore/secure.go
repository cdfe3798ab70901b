package vectorstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/jackc/pgx/v5"

	"recsys/shared/rds"
)

var errUnverified = errors.New("reading VECTOR_STORE_URL: credentials go only to a server that is verified: add sslmode=verify-full")

// secure makes a verified connection trust the configured authorities, and returns what gives each connection its
// credentials.
func (c Config) secure(ctx context.Context, config *pgx.ConnConfig) (func(context.Context, *pgx.ConnConfig) error, error) {
	verified := isVerified(config)
	if verified && config.TLSConfig.RootCAs == nil { // sslrootcert names none
		trusted, err := rds.Authorities(c.CA)
		if err != nil {
			return nil, fmt.Errorf("reading VECTOR_STORE_CA: %w", err)
		}
		config.TLSConfig.RootCAs = trusted
		for _, fallback := range config.Fallbacks {
			fallback.TLSConfig.RootCAs = trusted
		}
	}
	login := c.Login
	if login == nil {
		var err error
		if login, err = rds.NewLogin(ctx, c.IAM, c.SecretARN); err != nil {
			return nil, err
		}
	}
	if login == nil {
		return nil, nil
	}
	if !verified {
		return nil, errUnverified
	}
	return func(ctx context.Context, config *pgx.ConnConfig) error {
		credentials, err := login(ctx, address(config), config.User)
		config.User, config.Password = credentials.User, credentials.Password
		return err
	}, nil
}

// isVerified tells whether every way to the server checks its name and authority: sslmode=verify-full.
func isVerified(config *pgx.ConnConfig) bool {
	if config.TLSConfig == nil || config.TLSConfig.InsecureSkipVerify {
		return false
	}
	for _, fallback := range config.Fallbacks {
		if fallback.TLSConfig == nil || fallback.TLSConfig.InsecureSkipVerify {
			return false
		}
	}
	return true
}

func address(config *pgx.ConnConfig) string {
	return net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
}
