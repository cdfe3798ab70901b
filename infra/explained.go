package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
)

func explainFunction(role awsiam.Role, of Function)                   {}
func explainFlowLogs(role awsiam.Role)                                {}
func explainBucket(bucket awss3.Bucket)                               {}
func explainDatabase(instance awsrds.DatabaseInstance, config Config) {}
func explainWorkflow(machine sfn.StateMachine)                        {}
func explainStreaming(s *Streaming)                                   {}
func explainStack(stack awscdk.Stack, config Config)                  {}
