package rds

import (
	"crypto/x509"
	"encoding/pem"
	"regexp"
	"slices"
	"sync"
)

// rootOfRegion is the common name of the root that signs new instances' certificates by default (rds-ca-rsa2048-g1).
var rootOfRegion = regexp.MustCompile(`^Amazon RDS ([a-z]+(?:-[a-z]+)+-[0-9]) Root CA RSA2048 G1$`)

// Regions returns the regions whose root certificate is in the program, in order. In another region no connection to a
// database is trusted.
var Regions = sync.OnceValue(func() []string {
	var regions []string
	for block, rest := pem.Decode(certificates); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue // a test parses them all
		}
		if match := rootOfRegion.FindStringSubmatch(certificate.Subject.CommonName); match != nil {
			regions = append(regions, match[1])
		}
	}
	slices.Sort(regions)
	return regions
})
