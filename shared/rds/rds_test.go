package rds_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/authority"
	"recsys/shared/rds"
)

// asOf keeps the test from failing by itself on the day that a certificate expires.
var asOf = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func TestTheBundleHoldsEveryKindOfRootOfItsRegions(t *testing.T) {
	text, err := os.ReadFile("certificates.pem")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if !c.IsCA || c.Issuer.String() != c.Subject.String() || asOf.Before(c.NotBefore) || asOf.After(c.NotAfter) {
			t.Errorf("%s is not the root that it should be", c.Subject)
		}
		names[c.Subject.CommonName] = true
	}
	if len(rds.Regions()) < 27 {
		t.Errorf("%d regions: %v", len(rds.Regions()), rds.Regions())
	}
	for _, region := range rds.Regions() {
		for _, kind := range []string{"RSA2048", "RSA4096", "ECC384"} {
			if name := "Amazon RDS " + region + " Root CA " + kind + " G1"; !names[name] {
				t.Errorf("no %s", name)
			}
		}
	}
}

func TestAuthorities(t *testing.T) {
	own, err := authority.New("own")
	if err != nil {
		t.Fatal(err)
	}
	ofRDS, err := rds.Authorities("")
	if err != nil {
		t.Fatal(err)
	}
	pool, err := rds.Authorities(own.PEM())
	if err != nil || pool.Equal(ofRDS) {
		t.Errorf("one's own authority, %v", err)
	}
	if _, err := rds.Authorities("no certificate"); err == nil {
		t.Error("a text without certificates is taken")
	}
}

func inAWS(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "session",
	} {
		t.Setenv(name, value)
	}
}

func TestAnIAMTokenIsSignedForTheUserAndTheServer(t *testing.T) {
	inAWS(t)
	login, err := rds.NewLogin(t.Context(), true, "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := login(t.Context(), "db.example:5432", "recsys_reader")
	if err != nil || got.User != "recsys_reader" {
		t.Fatalf("user %q, %v", got.User, err)
	}
	token, err := url.Parse("https://" + got.Password)
	if err != nil {
		t.Fatal(err)
	}
	signed := token.Query()
	if token.Host != "db.example:5432" || signed.Get("Action") != "connect" || signed.Get("DBUser") != "recsys_reader" ||
		signed.Get("X-Amz-Expires") != "900" || signed.Get("X-Amz-Security-Token") != "session" ||
		!strings.HasSuffix(signed.Get("X-Amz-Credential"), "/eu-central-1/rds-db/aws4_request") || signed.Get("X-Amz-Signature") == "" {
		t.Errorf("the token is %v at %s", signed, token.Host)
	}
}

func TestASecretIsReadForEachConnection(t *testing.T) {
	inAWS(t)
	secrets := []string{`{"username":"owner","password":"first"}`, `{"password":"second"}`, `{"host":"secret"}`, `secret`}
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct{ SecretId string }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil || request.SecretId != "arn:of:secret" || r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" {
			t.Errorf("asked for %+v, %v", request, err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		json.NewEncoder(w).Encode(map[string]string{"SecretString": secrets[asked]})
		asked++
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.URL)
	login, err := rds.NewLogin(t.Context(), false, "arn:of:secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ user, gives, password string }{{"reader", "owner", "first"}, {"reader", "reader", "second"}} {
		got, err := login(t.Context(), "db.example:3306", want.user)
		if err != nil || got.User != want.gives || got.Password != want.password {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	for range 2 {
		if _, err := login(t.Context(), "db.example:3306", ""); err == nil || strings.Contains(err.Error(), `secret":`) {
			t.Errorf("a secret of another shape: %v", err)
		}
	}
}

func TestWithoutEitherTheURLSaysItAll(t *testing.T) {
	if login, err := rds.NewLogin(t.Context(), false, ""); login != nil || err != nil {
		t.Errorf("a login, %v", err)
	}
	if _, err := rds.NewLogin(t.Context(), true, "arn"); err == nil {
		t.Error("both are taken")
	}
}
