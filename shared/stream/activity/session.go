package activity

// Session is an activity record as a producer writes it in its plain spelling. Parse reads these members, and more spellings of
// their values.
type Session struct {
	SessionID string `json:"session_id"`
	// CustomerNumber is a whole number up to 2^53.
	CustomerNumber int64   `json:"customer_number"`
	City           string  `json:"city"`
	Country        string  `json:"country"`
	CreditLimit    float64 `json:"credit_limit"`
	// BrowseHistory is in the order in which the products were seen. It may be empty.
	BrowseHistory []Browse `json:"browse_history"`
}

// Browse is one product that the visitor looked at.
type Browse struct {
	ProductCode string `json:"product_code"`
	// Quantity is a number, or a string that holds one.
	Quantity       any  `json:"quantity"`
	InShoppingCart bool `json:"in_shopping_cart"`
}
