// Package schemas holds the contract's JSON Schemas (2020-12) and its AsyncAPI
// document. The schemas are what validates at run time; nothing else says what a
// command may hold.
package schemas

import "embed"

// FS holds command.<operation>.v1.json, result.v1.json and asyncapi.yaml.
//
//go:embed *.json asyncapi.yaml
var FS embed.FS
