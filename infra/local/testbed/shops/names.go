package shops

import "strings"

// country is a name and its ISO 3166-1 alpha-2 code.
type country struct{ Name, Code string }

// codes has the countries of the sample shop, in lower case.
var codes = map[string]country{
	"usa": {"United States", "US"}, "france": {"France", "FR"}, "norway": {"Norway", "NO"}, "germany": {"Germany", "DE"},
	"brazil": {"Brazil", "BR"}, "japan": {"Japan", "JP"}, "canada": {"Canada", "CA"}, "australia": {"Australia", "AU"},
	"ireland": {"Ireland", "IE"}, "spain": {"Spain", "ES"}, "denmark": {"Denmark", "DK"}, "switzerland": {"Switzerland", "CH"},
	"portugal": {"Portugal", "PT"}, "poland": {"Poland", "PL"}, "italy": {"Italy", "IT"}, "uk": {"United Kingdom", "GB"},
	"sweden": {"Sweden", "SE"}, "new zealand": {"New Zealand", "NZ"}, "côte d'ivoire": {"Côte d'Ivoire", "CI"},
	"hong kong": {"Hong Kong SAR China", "HK"},
}

// countryOf returns the country of a customer of the sample shop, who may spell it in any case.
func countryOf(name string) country { return codes[strings.ToLower(name)] }

var adjectives = []string{
	"Amber", "Brisk", "Crimson", "Dapper", "Élan", "Frosted", "Gilded", "Humble", "Ivory", "Jolly", "Keen", "Lucky",
	"Miner's", "Noble", "Olive", "Plain", "Quiet", "Rustic", "Sturdy",
}

var firstNames = []string{"Ada", "Björn", "Chiara", "Eamon", "Fumiko", "Goran", "Hélène", "Ivo", "Lúcia", "Noor", "Søren", "Zoë"}

var lastNames = []string{"Bühler", "D'Angelo", "Eriksen", "Fontaine", "Grzyb", "Hasegawa", "O'Rourke", "Silva", "Tennant", "Zamora"}
