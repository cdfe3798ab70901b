// Package prose holds a test that measures how plainly the project's texts read, and one that follows the links of its
// documents. CONTRIBUTING.md has the rules of the English.
//
// The measure is crude: it counts and does not understand. A text that passes is not yet good, but one that fails is hard to read.
package prose
