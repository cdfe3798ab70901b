package vectorstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"recsys/shared/store/rds"
)

var errUnverified = errors.New("reading VECTOR_STORE_URL: credentials go only to a server that is verified: add sslmode=verify-full")

// secure makes a verified connection trust the configured authorities, and returns the source of each connection's
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

// ConnectOwner connects as the owner of the database, for Bootstrap. If the password is refused, token is tried. The
// creator of a role is a member of it since PostgreSQL 16. So, when our roles have rds_iam, the owner is a member of
// rds_iam, too, and RDS takes no password of such a member.
func ConnectOwner(ctx context.Context, c Config, token rds.Login) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("reading VECTOR_STORE_URL: %w", err)
	}
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams["application_name"] = c.Application
	login, err := c.secure(ctx, config)
	if err != nil {
		return nil, err
	}
	const doing = "connecting to the vector database as its owner"
	if login != nil {
		if err := login(ctx, config); err != nil {
			return nil, Wrap(doing, err)
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if login == nil || !isRefused(err) {
		return conn, Wrap(doing, err)
	}
	credentials, signing := token(ctx, address(config), config.User)
	if signing != nil {
		return nil, errors.Join(Wrap(doing, err), signing)
	}
	config.Password = credentials.Password
	conn, again := pgx.ConnectConfig(ctx, config)
	if again != nil {
		return nil, Wrap(doing+", by password and then by token", errors.Join(err, again))
	}
	return conn, nil
}

// isRefused tells of wrong credentials: SQLSTATE class 28.
func isRefused(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && strings.HasPrefix(answer.Code, "28")
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
