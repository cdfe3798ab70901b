package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"recsys/shared/contract/workflow"
)

// Permission allows actions on resources. Actions are spelled out, never with a wildcard.
type Permission struct {
	Actions   []string
	Resources []*string
}

func allow(role awsiam.IRole, p Permission) {
	role.AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings(p.Actions...), Resources: &p.Resources,
	}))
}

// grants turn the rights of package workflow into permissions on the stack's resources.
type grants map[workflow.Resource]func(workflow.Right) []Permission

// permissions are those of a step. A right on a resource that is not in grants is a fault of the program.
func (g grants) permissions(step workflow.Step) []Permission {
	var all []Permission
	for _, right := range step.Rights {
		grant, known := g[right.On]
		if !known {
			panic(fmt.Sprintf("%s has a right on the %s, which it is not given", step.Name, right.On))
		}
		all = append(all, grant(right)...)
	}
	return all
}

// onBucket grants rights on a bucket and on its objects.
func onBucket(bucket awss3.IBucket) func(workflow.Right) []Permission {
	return func(right workflow.Right) []Permission {
		if right.Keys == nil {
			return []Permission{{right.Actions, []*string{bucket.BucketArn()}}}
		}
		return []Permission{onObjects(bucket, right.Keys, right.Actions...)}
	}
}

// onARNs grants rights on resources by their ARN.
func onARNs(arns ...*string) func(workflow.Right) []Permission {
	return func(right workflow.Right) []Permission { return []Permission{{right.Actions, arns}} }
}

// login grants the permissions to log in to a database.
func login(permissions ...Permission) func(workflow.Right) []Permission {
	return func(workflow.Right) []Permission { return permissions }
}

// onObjects is a permission for objects of a bucket.
func onObjects(bucket awss3.IBucket, keys []string, actions ...string) Permission {
	p := Permission{Actions: actions}
	for _, key := range keys {
		p.Resources = append(p.Resources, bucket.ArnForObjects(jsii.String(key)))
	}
	return p
}
