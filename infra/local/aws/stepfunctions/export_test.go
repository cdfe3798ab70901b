package stepfunctions

// Engine is the program of the child process.
var Engine = engine
