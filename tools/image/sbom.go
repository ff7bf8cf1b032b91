package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

// describe lists what a binary is made of, as SPDX 2.3 says it: every module that the
// Go toolchain has recorded in it, and Go itself.
func describe(o options, binary string) ([]byte, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	root := packageOf(debug.Module{Path: info.Main.Path, Version: o.version})
	root.Checksums = []checksum{{"SHA256", hex.EncodeToString(sum[:])}}
	root.Purpose = "APPLICATION"
	doc := document{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: "sluice " + o.version,
		Namespace: "https://github.com/seed-7b870224/sluice/spdx/" + hex.EncodeToString(sum[:]),
		Creation:  creation{o.created.UTC().Format(time.RFC3339), []string{"Tool: sluice tools/image"}},
		Packages:  []spdxPackage{root, packageOf(debug.Module{Path: "stdlib", Version: strings.TrimPrefix(info.GoVersion, "go")})},
	}
	doc.Relations = []relation{{doc.ID, "DESCRIBES", root.ID}, {root.ID, "DEPENDS_ON", doc.Packages[1].ID}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		p := packageOf(*m)
		doc.Packages = append(doc.Packages, p)
		doc.Relations = append(doc.Relations, relation{root.ID, "DEPENDS_ON", p.ID})
	}
	return json.MarshalIndent(doc, "", "  ")
}

// packageOf is a module as a package. The module's own checksum is of a kind that SPDX
// does not know, so it is a comment.
func packageOf(m debug.Module) spdxPackage {
	p := spdxPackage{
		ID: "SPDXRef-" + idOf(m.Path), Name: m.Path, Version: m.Version,
		Download: "NOASSERTION", License: "NOASSERTION", Declared: "NOASSERTION", Copyright: "NOASSERTION",
		References: []reference{{"PACKAGE-MANAGER", "purl", fmt.Sprintf("pkg:golang/%s@%s", m.Path, m.Version)}},
	}
	if m.Sum != "" {
		p.Comment = "go.sum " + m.Sum
	}
	return p
}

// idOf makes an SPDX id of a module path: letters, digits, dots and dashes.
func idOf(path string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, path)
}

type document struct {
	Version   string        `json:"spdxVersion"`
	License   string        `json:"dataLicense"`
	ID        string        `json:"SPDXID"`
	Name      string        `json:"name"`
	Namespace string        `json:"documentNamespace"`
	Creation  creation      `json:"creationInfo"`
	Packages  []spdxPackage `json:"packages"`
	Relations []relation    `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	ID         string      `json:"SPDXID"`
	Name       string      `json:"name"`
	Version    string      `json:"versionInfo,omitempty"`
	Purpose    string      `json:"primaryPackagePurpose,omitempty"`
	Download   string      `json:"downloadLocation"`
	Analyzed   bool        `json:"filesAnalyzed"`
	Checksums  []checksum  `json:"checksums,omitempty"`
	License    string      `json:"licenseConcluded"`
	Declared   string      `json:"licenseDeclared"`
	Copyright  string      `json:"copyrightText"`
	Comment    string      `json:"comment,omitempty"`
	References []reference `json:"externalRefs"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type reference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type relation struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}
