package vectorstore

// BootstrapFor lets tests bootstrap for another list of metrics.
var BootstrapFor = bootstrapFor
