package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
)

// The free tier's service has one endpoint, in us-east-1.
// https://docs.aws.amazon.com/awsaccountbilling/latest/APIReference/API_freetier_GetAccountPlanState.html
const (
	freeTierEndpoint = "https://freetier.us-east-1.api.aws"
	freeTierRegion   = "us-east-1"
	mostAnswer       = 1 << 16 // bytes
)

// planOf asks which plan the account has, FREE or PAID. It calls the service itself: the SDK's package for it is one
// operation of a module that the Go proxy does not have.
func planOf(ctx context.Context, cfg aws.Config) (string, error) {
	endpoint := freeTierEndpoint
	if own := os.Getenv("AWS_ENDPOINT_URL_FREETIER"); own != "" {
		endpoint = own
	}
	body := []byte("{}")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("asking for the account's plan: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "AWSFreeTierService.GetAccountPlanState")
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return "", fmt.Errorf("asking for the account's plan: %w", err)
	}
	hash := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(hash[:]), "freetier", freeTierRegion, time.Now()); err != nil {
		return "", fmt.Errorf("asking for the account's plan: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("asking for the account's plan: %w", err)
	}
	defer answer.Body.Close()
	return readPlan(answer)
}

func readPlan(answer *http.Response) (string, error) {
	text, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	if err != nil {
		return "", fmt.Errorf("reading the account's plan: %w", err)
	}
	var plan struct {
		AccountPlanType string `json:"accountPlanType"`
		Type            string `json:"__type"`
		Message         string `json:"message"`
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		return "", fmt.Errorf("reading the account's plan: status %d, no JSON", answer.StatusCode)
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("asking for the account's plan: %w", &smithy.GenericAPIError{Code: plan.Type, Message: plan.Message})
	}
	if plan.AccountPlanType == "" {
		return "", fmt.Errorf("reading the account's plan: the answer has none")
	}
	return plan.AccountPlanType, nil
}
