package settings

// Lake names the data lake bucket.
type Lake struct {
	Bucket string `option:"lakeBucket" text:"the data lake"`
}

// Artifacts names the ml-artifacts bucket.
type Artifacts struct {
	Bucket string `option:"artifactsBucket" text:"embeddings, models and their versions"`
}

// Source is the shop's MySQL.
type Source struct {
	// DSN is as go-sql-driver/mysql spells it: user[:password]@tcp(host:port)/database[?tls=true]. With tls=true the
	// server's name and authority are verified. IAM and SecretARN ask for that.
	DSN string `option:"sourceDSN" text:"address, user and database"`
	IAM bool   `option:"sourceIAM" default:"false" text:"a token of the function's role for each connection, in place of a password"`
	// SecretARN names a secret as RDS makes them. Its user and password go before DSN's.
	SecretARN string `option:"sourceSecretARN" default:"none" text:"the Secrets Manager secret with user and password"`
	CA        string `option:"sourceCA" default:"auto" text:"the authorities that sign the server's certificate, as PEM. auto: those of Amazon RDS"`
	Identity  string `option:"sourceIdentity" default:"auto" text:"tells this source from others that the address may have had. auto: the address"`
}

// ShopFile is the description of a shop with tables of its own, see package shopfile.
type ShopFile struct {
	// Path is absolute, or relative to the folder of the function's program. A deployment puts the file there.
	Path string `option:"shopFile" default:"none" text:"the shop file. none: the tables of the sample shop"`
}

// VectorStore is the PostgreSQL with pgvector.
type VectorStore struct {
	// URL is postgres://role[:password]@host:port/database[?sslmode=verify-full]. With verify-full the server's name
	// and authority are verified. IAM and SecretARN ask for that.
	URL string `option:"vectorStoreURL" text:"address, role and database"`
	IAM bool   `option:"vectorStoreIAM" default:"false" text:"a token of the function's role for each connection, in place of a password"`
	// SecretARN names a secret as RDS makes them. Its user and password go before URL's.
	SecretARN string `option:"vectorStoreSecretARN" default:"none" text:"the Secrets Manager secret with user and password"`
	CA        string `option:"vectorStoreCA" default:"auto" text:"the authorities that sign the server's certificate, as PEM. auto: those of Amazon RDS"`
}

// PlanExtract configures functions/plan-extract.
type PlanExtract struct {
	Lake
	Source
	ShopFile
	Ranges
	Layout
	Shrinkage
}

// Extract configures functions/extract.
type Extract struct {
	Lake
	Source
}

// Transform configures functions/transform.
type Transform struct {
	Lake
}

// PartitionWrite configures functions/partition-write.
type PartitionWrite struct {
	Lake
	Partitions
}

// PublishTrainingData configures functions/publish-training-data.
type PublishTrainingData struct {
	Lake
	Publishing
	Shrinkage
	GlueDatabase string `option:"glueDatabase" text:"Glue's database, in which the function makes and updates the table"`
}

// Train configures functions/train.
type Train struct {
	Lake
	Artifacts
	HoldOut
	Training
	Search
	WhenToTrain
	Sizes
}

// EmbeddingUpload configures functions/embedding-upload.
type EmbeddingUpload struct {
	Lake
	Artifacts
	VectorStore
	HandOver
}

// Evaluate configures functions/evaluate.
type Evaluate struct {
	Lake
	Artifacts
	VectorStore
	HoldOut
	Gate
}

// VectorIndex configures functions/vector-index.
type VectorIndex struct {
	Artifacts
	VectorStore
	Index
}

// Export configures functions/export.
type Export struct {
	Lake
	Artifacts
	VectorStore
	Ranking
	Exporting
	GlueDatabase string `option:"glueDatabase" text:"Glue's database, in which the function makes and updates the tables"`
}

// Recommend configures functions/recommend.
type Recommend struct {
	Artifacts
	VectorStore
	Ranking
	Patience
	RecommendationsBucket string `option:"recommendationsBucket" text:"takes the rejected records"`
	DeliveryStream        string `option:"deliveryStream" text:"the Firehose stream that takes the answers"`
	EventBus              string `option:"eventBus" default:"none" text:"the EventBridge bus that takes them, too"`
}

// API configures functions/api.
type API struct {
	Lake
	Artifacts
	VectorStore
	Ranking
	Requests
}

// BootstrapVectorStore configures functions/bootstrap-vector-store, which a deployment runs. It connects as the
// database's owner.
type BootstrapVectorStore struct {
	VectorStore
}

// LoadSampleShop configures functions/load-sample-shop, which a deployment runs if it brings a database of its own. It
// connects as a user who may create databases and users, so the DSN names no database.
type LoadSampleShop struct {
	Source
	SampleShop
	// Reader is the user that the functions read the shop as. It is created, with IAM authentication.
	Reader string `option:"sourceReader" default:"recsys_reader" text:"the user that the functions read the shop as"`
}
