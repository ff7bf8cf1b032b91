package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

func (v *validator) intake() {
	intake := v.cfg.Intake
	v.together("intake.tls", "cert", "key", intake.TLS.Cert != "", intake.TLS.Key != "")
	if intake.TLS.ClientCA != "" && intake.TLS.Cert == "" {
		v.at("intake.tls.cert", "is missing; clientCA needs cert and key")
	}
	switch used := len(intake.Publishers) > 0 || len(intake.Alertmanager) > 0; {
	case intake.Listen != "":
		v.listener("intake.listen", intake.Listen)
		if len(intake.Publishers) == 0 {
			v.warn("intake.publishers is empty: the intake lets nobody in")
		}
	case used:
		v.at("intake.listen", "is missing; give an address such as 127.0.0.1:8081")
	}
	v.publishers(intake)
	routes := map[string]bool{}
	for i, route := range intake.Alertmanager {
		path := fmt.Sprintf("intake.alertmanager[%d]", i)
		v.uniqueName(path, route.Name, "route", routes)
		v.route(route, path)
	}
}

// uniqueName checks the name of a publisher or route and remembers it.
func (v *validator) uniqueName(path, name, what string, seen map[string]bool) {
	switch {
	case name == "":
		v.at(path+".name", "is missing; %s", accountRule)
	case !accountPattern.MatchString(name):
		v.at(path+".name", "%s cannot be the name of a %s; %s", quoteShort(name), what, accountRule)
	case seen[name]:
		v.at(path+".name", "%s names another %s too; rename or remove one", quoteShort(name), what)
	}
	seen[name] = true
}

func (v *validator) publishers(intake Intake) {
	names, tokens, certs := map[string]bool{}, map[secret.Text]bool{}, map[string]bool{}
	for i, publisher := range intake.Publishers {
		path := fmt.Sprintf("intake.publishers[%d]", i)
		v.uniqueName(path, publisher.Name, "publisher", names)
		v.identity(publisher, path)
		switch {
		case !publisher.Token.Empty() && tokens[publisher.Token]:
			v.at(path+".token", "is also that of another publisher; give each its own")
		case publisher.ClientCert != "" && certs[publisher.ClientCert]:
			v.at(path+".clientCert", "is also that of another publisher; give each its own")
		case publisher.ClientCert != "" && intake.TLS.ClientCA == "":
			v.at(path+".clientCert", "needs intake.tls.clientCA; name the file with the authorities there")
		}
		tokens[publisher.Token], certs[publisher.ClientCert] = true, true
		v.rights(publisher, path)
	}
}

// identity checks that a publisher can be told apart in exactly one way.
func (v *validator) identity(publisher Publisher, path string) {
	hasToken, hasCert := !publisher.Token.Empty(), publisher.ClientCert != ""
	switch {
	case hasToken && hasCert:
		v.at(path+".clientCert", "is given as well as token; keep one of them")
	case !hasToken && !hasCert:
		v.at(path+".token", "is missing or empty; give a token or a clientCert")
	case strings.ContainsFunc(publisher.Token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }):
		v.at(path+".token", "holds spaces or other characters that a header cannot carry; use printable ASCII without spaces")
	}
}

func (v *validator) rights(publisher Publisher, path string) {
	if len(publisher.Allow) == 0 {
		v.at(path+".allow", "is missing; list the operations that the publisher may ask for")
	}
	for i, op := range publisher.Allow {
		if !slices.Contains(operations, op) {
			v.at(fmt.Sprintf("%s.allow[%d]", path, i), "%s is no operation; use %s", quoteShort(string(op)), orList(operationNames()))
		}
	}
	for i, account := range publisher.Accounts {
		if !v.hasAccount(account) {
			v.at(fmt.Sprintf("%s.accounts[%d]", path, i), "%s is no account; configured: %s", quoteShort(account), strings.Join(v.accountNames(), ", "))
		}
	}
}

// route checks what an Alertmanager route says without any alert.
func (v *validator) route(route Route, path string) {
	publisher, known := v.cfg.Intake.Publisher(route.Publisher)
	switch {
	case route.Publisher == "":
		v.at(path+".publisher", "is missing; name one of intake.publishers")
	case !known:
		v.at(path+".publisher", "%s is no publisher; name one of intake.publishers", quoteShort(route.Publisher))
	}
	for _, part := range []struct {
		name  string
		value Template
	}{
		{"operation", route.Command.Operation}, {"vendor", route.Command.Vendor}, {"account", route.Command.Account},
		{"region", route.Command.Region}, {"instanceId", route.Command.InstanceID},
	} {
		if part.value.Empty() {
			v.at(path+".command."+part.name, "is missing; give the text, or a template such as '{{ .Labels.%s }}'", strings.ToLower(part.name))
		}
	}
	if known {
		v.literals(route.Command, publisher, path+".command")
	}
}

// literals checks the fields of a command that no alert changes.
func (v *validator) literals(command CommandTemplate, publisher Publisher, path string) {
	literal := func(t Template) string { text, _ := t.Literal(); return text }
	op, vendor, account := literal(command.Operation), literal(command.Vendor), literal(command.Account)
	if op != "" {
		v.oneOf(path+".operation", op, operationNames())
		if !slices.Contains(publisher.Allow, vendors.Operation(op)) {
			v.at(path+".operation", "%s is not allowed for publisher %s; list it in its allow", op, publisher.Name)
		}
	}
	if vendor != "" {
		v.oneOf(path+".vendor", vendor, v.vendorNames())
	}
	if priority := literal(command.Priority); priority != "" {
		v.oneOf(path+".priority", priority, []string{"urgent", "normal", "bulk"})
	}
	if account == "" {
		return
	}
	switch {
	case !v.hasAccount(account):
		v.at(path+".account", "%s is no account; configured: %s", quoteShort(account), strings.Join(v.accountNames(), ", "))
	case publisher.Accounts != nil && !slices.Contains(publisher.Accounts, account):
		v.at(path+".account", "%s is not one of publisher %s's accounts; list it there", account, publisher.Name)
	}
	if vendor == "" {
		return
	}
	if found, ok := v.cfg.Account(vendor, account); ok {
		v.literalTarget(*found, op, literal(command.Region), path)
	} else {
		v.at(path+".account", "there is no account %s of %s; correct one of the two", account, vendor)
	}
}

// literalTarget checks operation and region against the account of a route.
func (v *validator) literalTarget(account Account, op, region, path string) {
	if op != "" && !account.Allows(vendors.Operation(op)) {
		v.at(path+".operation", "account %s does not allow %s; list it in the account's allow", account.Name, op)
	}
	if region != "" && !account.Serves(region) {
		v.at(path+".region", "%s is not a region of account %s; it has %s", quoteShort(region), account.Name, strings.Join(account.Regions, ", "))
	}
}

func operationNames() []string {
	names := make([]string, len(operations))
	for i, op := range operations {
		names[i] = string(op)
	}
	return names
}

func (v *validator) accountNames() []string {
	var names []string
	for _, account := range v.cfg.Accounts {
		if !slices.Contains(names, account.Name) {
			names = append(names, account.Name)
		}
	}
	return names
}

func (v *validator) hasAccount(name string) bool {
	return slices.ContainsFunc(v.cfg.Accounts, func(a Account) bool { return a.Name == name })
}
