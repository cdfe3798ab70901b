// Package deploymenttest has options that several tests configure a deployment with.
package deploymenttest

// Existing returns the options of a network and a MySQL that were there before, changed by those given.
func Existing(changes map[string]any) map[string]any {
	options := map[string]any{
		"vpcId": "vpc-0123456789abcdef0", "subnetIds": "subnet-0aaaaaaaaaaaaaaaa,subnet-0bbbbbbbbbbbbbbbb",
		"sourceHost": "shop.abcdefghijkl.eu-west-1.rds.amazonaws.com", "sourceUser": "reader",
		"sourceSecurityGroupId": "sg-0123456789abcdef0",
		"sourceSecretArn":       "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf",
	}
	for name, value := range changes {
		options[name] = value
		if value == nil {
			delete(options, name)
		}
	}
	return options
}
