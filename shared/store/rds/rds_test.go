package rds_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/db/authority"
	"recsys/shared/store/rds"
)

// asOf keeps the test from failing by itself on the day that a certificate expires.
var asOf = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// newerRegions are the roots of newer-regions.pem, by their SHA-256 fingerprints.
var newerRegions = []struct{ region, kind, fingerprint string }{
	{"ap-east-2", "RSA2048", "6f53918dfdfaf97fbdd35bc7658bc14bdee59e736a4aee8b50f76c6e0529ffc1"},
	{"ap-east-2", "RSA4096", "2ad0829681fe8322b52436ead477770f189cbc31d4964104e4f877ba67044d67"},
	{"ap-east-2", "ECC384", "b74aca1d89ecf15b08b13d485adabaf604eeb1ac03160abbdd4aecd61bc54506"},
	{"ap-southeast-5", "RSA2048", "4f8f74669b3a73ea788bbbca16ca5a20c573cd7e4a9515eb46b85ee70d3ff78b"},
	{"ap-southeast-5", "RSA4096", "48f84bdb4e595659e203ea6ab6502c3860a63eda5d879e14131633abc2d7d34d"},
	{"ap-southeast-5", "ECC384", "2a9df2f7fbdb5d6d2437b21088354cd9129107939ffbf38311f76c60f42e064c"},
	{"ap-southeast-6", "RSA2048", "68c0d08a62ba7d49804172edfec706b9932e3383e52002aa859e28b7790f6f2b"},
	{"ap-southeast-6", "RSA4096", "aa21c940d548f453dfaa6f547e7f6f6c0d0b0148952fbf58f5eb6a063507056d"},
	{"ap-southeast-6", "ECC384", "88ebec2497b584a971daddefd96f265b6774dfb6877841fe0024b8762d93a200"},
	{"ap-southeast-7", "RSA2048", "45d6f57f10d069738a46ca26d3ef4fc705963e0f3694506e7a2c1bee66c69dc7"},
	{"ap-southeast-7", "RSA4096", "4ce1f223eab751a1b7d3765776aaeeda9ddccfb13bf469cb2e09f9eb8453541c"},
	{"ap-southeast-7", "ECC384", "feb47d55c0044354022b2c82aed428073a3fad54cc6cdd700b52caba2eac8a1c"},
	{"ca-west-1", "RSA2048", "96b9d270ef5c0ae6eae5623663f18fcc25728d0b6d59edafec9b5b9d77bf812c"},
	{"ca-west-1", "RSA4096", "af67d77f5c3bffb4515f45f751403d00da5b8e83a7119d240aa3b9ce6d8d89d4"},
	{"ca-west-1", "ECC384", "d14f3c348e093daffecf926be03c83625ae1ce882014a931ba064f522590d7b2"},
	{"il-central-1", "RSA2048", "a2b73ca650d3e47ba8360a912ff007612f80edc5aff31ddcecf4c0d29071ba16"},
	{"il-central-1", "RSA4096", "6b8d99b4e5d5cbabd5d9bf02c263b46ca120ddd118655421d3d418b5f5aff9f9"},
	{"il-central-1", "ECC384", "8c8475dccad184f53e92d55dc99293a2aad827cc9c96fb89d667836ae2a3130f"},
	{"mx-central-1", "RSA2048", "0d43c47961cbd07bc2a37029393847073fb349ba00e6b65311eef33097270002"},
	{"mx-central-1", "RSA4096", "3ddbeda037eacc4cf3e23027577c282af78a6ff60e69bc1ab608202280984bba"},
	{"mx-central-1", "ECC384", "f8f9c9e6d38d970b9c8cbf464d6f2c71049ad5501ea3a1404af1a01dd7038094"},
}

// TestTheBundleHoldsEveryKindOfRootOfItsRegions checks the package's 27 regions and the newer ones.
func TestTheBundleHoldsEveryKindOfRootOfItsRegions(t *testing.T) {
	text, err := os.ReadFile("certificates.pem")
	if err != nil {
		t.Fatal(err)
	}
	fingerprints := map[string]string{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if !c.IsCA || c.Issuer.String() != c.Subject.String() || asOf.Before(c.NotBefore) || asOf.After(c.NotAfter) {
			t.Errorf("%s is not the root that it should be", c.Subject)
		}
		if err := c.CheckSignatureFrom(c); err != nil {
			t.Errorf("%s: %v", c.Subject, err)
		}
		fingerprints[c.Subject.CommonName] = fmt.Sprintf("%x", sha256.Sum256(c.Raw))
	}
	if len(rds.Regions()) != 27+len(newerRegions)/3 {
		t.Errorf("%d regions: %v", len(rds.Regions()), rds.Regions())
	}
	for _, region := range rds.Regions() {
		for _, kind := range []string{"RSA2048", "RSA4096", "ECC384"} {
			if fingerprints[root(region, kind)] == "" {
				t.Errorf("no %s", root(region, kind))
			}
		}
	}
	for _, want := range newerRegions {
		if got := fingerprints[root(want.region, want.kind)]; got != want.fingerprint {
			t.Errorf("%s has the fingerprint %s, want %s", root(want.region, want.kind), got, want.fingerprint)
		}
		if !slices.Contains(rds.Regions(), want.region) {
			t.Errorf("%s is refused", want.region)
		}
	}
}

func root(region, kind string) string { return "Amazon RDS " + region + " Root CA " + kind + " G1" }

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
