// Package rds logs a function in to a database of Amazon RDS. It holds the trusted authorities, and asks for
// credentials for each connection.
//
// Promise: no password is in the environment or in a log. A server is trusted by name and authority only. Reads
// certificates.pem, embedded: the roots of the regions in Regions and of RDS Proxy, from update-certificates.sh,
// which names their sources. Lambda's provided.al2023 has the public authorities only.
//
// Spec: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html,
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
package rds

import (
	"context"
	"crypto/x509"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"recsys/shared/runtime/awsconfig"
)

//go:generate ./update-certificates.sh

//go:embed certificates.pem
var certificates []byte

var authorities = sync.OnceValue(func() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificates)
	return pool
})

// Authorities are those of a PEM text. "" stands for those of Amazon RDS.
func Authorities(text string) (*x509.CertPool, error) {
	if text == "" {
		return authorities(), nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(text)) {
		return nil, errors.New("the certificate authorities to trust: no certificate in PEM")
	}
	return pool, nil
}

// Login gives a user and a password for one new connection to address (host:port). user is the connection URL's, or
// empty.
type Login func(ctx context.Context, address, user string) (Credentials, error)

// Credentials of one connection.
type Credentials struct {
	User     string `json:"username"`
	Password string `json:"password"`
}

// NewLogin is the login that settings ask for: IAM, or a secret. It returns nil for a URL that has everything.
func NewLogin(ctx context.Context, iam bool, secretARN string) (Login, error) {
	if !iam && secretARN == "" {
		return nil, nil
	}
	if iam && secretARN != "" {
		return nil, errors.New("IAM authentication and a secret exclude each other")
	}
	cfg, err := awsconfig.Load(ctx)
	if err != nil {
		return nil, err
	}
	if iam {
		return IAM(cfg), nil
	}
	return Secret(cfg, secretARN), nil
}

// IAM signs a token with the function's own credentials: no call, valid for 15 minutes, of which a connection needs
// its first moment. The role wants rds-db:connect on that user.
func IAM(cfg aws.Config) Login {
	return func(ctx context.Context, address, user string) (Credentials, error) {
		token, err := auth.BuildAuthToken(ctx, address, cfg.Region, user, cfg.Credentials)
		if err != nil {
			return Credentials{}, fmt.Errorf("making an IAM token for the database: %w", err)
		}
		return Credentials{user, token}, nil
	}
}

// secretPatience bounds the reading of a secret, attempts included.
const secretPatience = 5 * time.Second

// Secret reads user and password at connect time, so that a rotated password is the new one. A secret without a
// user is for the URL's.
func Secret(cfg aws.Config, arn string) Login {
	client := secretsmanager.NewFromConfig(cfg)
	return func(ctx context.Context, _, user string) (Credentials, error) {
		ctx, cancel := context.WithTimeout(ctx, secretPatience)
		defer cancel()
		answer, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
		if err != nil {
			return Credentials{}, fmt.Errorf("reading the database's secret: %w", err)
		}
		var found Credentials
		// The parser's own error could quote the secret.
		if json.Unmarshal([]byte(aws.ToString(answer.SecretString)), &found) != nil || found.Password == "" {
			return Credentials{}, errors.New(`reading the database's secret: want a JSON object with "username" and "password"`)
		}
		if found.User == "" {
			found.User = user
		}
		return found, nil
	}
}
