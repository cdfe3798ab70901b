package source

import (
	"context"
	"errors"

	"github.com/go-sql-driver/mysql"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/settings"
	"recsys/shared/store/rds"
)

var errUnverified = errors.New("credentials go only to a server that is verified: add tls=true")

// Configure reads the DSN, makes tls=true trust the configured authorities, and gives each connection its
// credentials. Errors are failure.InvalidInput and do not quote the DSN.
func Configure(ctx context.Context, s settings.Source) (*mysql.Config, error) {
	login, err := rds.NewLogin(ctx, s.IAM, s.SecretARN)
	if err != nil {
		return nil, failure.Invalidf("the source's settings: %w", err)
	}
	return configure(s, login)
}

func parse(s settings.Source) (*mysql.Config, error) {
	config, err := mysql.ParseDSN(s.DSN)
	if err != nil {
		return nil, failure.Invalidf("the source's DSN: %w", err)
	}
	return config, nil
}

func configure(s settings.Source, login rds.Login) (*mysql.Config, error) {
	config, err := parse(s)
	if err != nil {
		return nil, err
	}
	verified := config.TLS != nil && !config.TLS.InsecureSkipVerify && !config.AllowFallbackToPlaintext
	if verified {
		if config.TLS.RootCAs, err = rds.Authorities(s.CA); err != nil {
			return nil, failure.Invalidf("reading SOURCE_CA: %w", err)
		}
	}
	if login == nil {
		return config, nil
	}
	if !verified {
		return nil, failure.Invalidf("the source's DSN: %w", errUnverified)
	}
	// RDS takes the token in the clear, inside TLS.
	config.AllowCleartextPasswords = s.IAM
	err = config.Apply(mysql.BeforeConnect(func(ctx context.Context, config *mysql.Config) error {
		credentials, err := login(ctx, config.Addr, config.User)
		config.User, config.Passwd = credentials.User, credentials.Password
		return err
	}))
	if err != nil {
		return nil, failure.Invalidf("the source's DSN: %w", err)
	}
	return config, nil
}
