package main

import (
	"strings"
	"testing"
)

// Nobody asks the API without a signature or a token.
func TestEveryRouteHasItsCallers(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		routes := s.of("AWS::ApiGatewayV2::Route")
		if s.config.API == "off" {
			if len(routes) > 0 || len(s.of("AWS::ApiGatewayV2::Api")) > 0 {
				t.Errorf("an API that nobody wants: %v", routes)
			}
			return
		}
		found := map[string]string{}
		for _, route := range routes {
			found[route.Properties["RouteKey"].(string)], _ = route.Properties["AuthorizationType"].(string)
		}
		want := map[string]string{"GET /v1/{proxy+}": "AWS_IAM", "POST /v1/{proxy+}": "AWS_IAM", "POST /v1/activity": "AWS_IAM"}
		if s.config.APIIssuer != "" {
			want["GET /v1/me/{proxy+}"] = "JWT"
		}
		for key, authorization := range want {
			if found[key] != authorization {
				t.Errorf("%s is authorized by %q, want %s", key, found[key], authorization)
			}
		}
		if len(found) != len(want) {
			t.Errorf("routes %v", found)
		}
		stage := s.only(t, "AWS::ApiGatewayV2::Stage").Properties
		limits := stage["DefaultRouteSettings"].(map[string]any)
		if limits["ThrottlingRateLimit"] != float64(s.config.APIRate) || limits["ThrottlingBurstLimit"] != float64(2*s.config.APIRate) {
			t.Errorf("throttled by %v", limits)
		}
		if log := spell(stage["AccessLogSettings"]); strings.Contains(log, "path") || strings.Contains(log, "query") {
			t.Errorf("the access log may name customers: %s", log)
		}
	})
}

func TestTokensAreOfTheGivenIssuer(t *testing.T) {
	s := variant(t, "every option")
	tokens := s.only(t, "AWS::ApiGatewayV2::Authorizer").Properties["JwtConfiguration"].(map[string]any)
	if tokens["Issuer"] != "https://login.example.com/" || spell(tokens["Audience"]) != "[shop]" {
		t.Errorf("tokens of %v", tokens)
	}
	cors := s.only(t, "AWS::ApiGatewayV2::Api").Properties["CorsConfiguration"].(map[string]any)
	if spell(cors["AllowOrigins"]) != "[https://shop.example.com]" || cors["AllowCredentials"] != nil {
		t.Errorf("pages of other origins: %v", cors)
	}
	if found := variant(t, "dev").of("AWS::ApiGatewayV2::Authorizer"); len(found) != 0 {
		t.Errorf("without an issuer: %v", found)
	}
}

// Kinesis takes records from the gateway alone through a role that can do nothing else.
func TestActivityGoesToTheStreamAlone(t *testing.T) {
	s := variant(t, "dev")
	for id, integration := range s.of("AWS::ApiGatewayV2::Integration") {
		if integration.Properties["IntegrationSubtype"] != "Kinesis-PutRecord" {
			continue
		}
		parameters := integration.Properties["RequestParameters"].(map[string]any)
		if parameters["Data"] != "$request.body.Data" || parameters["PartitionKey"] != "$request.body.PartitionKey" {
			t.Errorf("%s: %v", id, parameters)
		}
		for name, policy := range s.of("AWS::IAM::Policy") {
			if strings.Contains(name, "ActivityRole") && strings.Count(policy.text(), "kinesis:") != 1 {
				t.Errorf("%s allows %s", name, policy.text())
			}
		}
		return
	}
	t.Error("no integration takes activity")
}
