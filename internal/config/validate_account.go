package config

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

var (
	// regionPattern is what can be part of a subject and of a host name.
	regionPattern  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	projectPattern = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$`)
)

// operations lists what Sluice knows, most harmless first.
var operations = []vendors.Operation{vendors.Restart, vendors.SoftRestart, vendors.Flush, vendors.Restore}

// harmless are those that lose no data.
var harmless = []vendors.Operation{vendors.Restart, vendors.SoftRestart}

func (v *validator) accounts() {
	first := map[[2]string]int{}
	for i := range v.cfg.Accounts {
		account := &v.cfg.Accounts[i]
		path := fmt.Sprintf("accounts[%d]", i)
		v.account(account, path)
		id := [2]string{account.Vendor, account.Name}
		if earlier, taken := first[id]; taken {
			v.at(path+".name", "%s is given twice for %s, first as accounts[%d]; rename or remove one", quoteShort(account.Name), account.Vendor, earlier)
			continue
		}
		first[id] = i
	}
}

func (v *validator) account(account *Account, path string) {
	switch {
	case account.Name == "":
		v.at(path+".name", "is missing; %s", accountRule)
	case !accountPattern.MatchString(account.Name):
		v.at(path+".name", "%s is not an account name; %s", quoteShort(account.Name), accountRule)
	}
	v.regions(account, path)
	v.limits(account, path)
	facts, known := v.opts.Catalog[account.Vendor]
	switch {
	case known:
		account.facts = facts
		v.projects(account, path)
		v.allow(account, path)
		v.quotas(account, path)
		v.endpoint(account, path)
		v.credentials(account, path)
	case account.Vendor == "":
		v.at(path+".vendor", "is missing; use %s", orList(v.vendorNames()))
	default:
		v.at(path+".vendor", "%s is not known; use %s", quoteShort(account.Vendor), orList(v.vendorNames()))
	}
}

func (v *validator) vendorNames() []string { return slices.Sorted(maps.Keys(v.opts.Catalog)) }

func (v *validator) regions(account *Account, path string) {
	if len(account.Regions) == 0 {
		v.at(path+".regions", "is missing; list at least one, such as [cn-beijing]")
	}
	for i, region := range account.Regions {
		at := fmt.Sprintf("%s.regions[%d]", path, i)
		switch {
		case !regionPattern.MatchString(region):
			v.at(at, "%s cannot be a region; use 1 to 64 of letters, digits, _ and -", quoteShort(region))
		case slices.Index(account.Regions, region) < i:
			v.at(at, "%s is listed twice; remove one", quoteShort(region))
		}
	}
}

// limits checks the numbers of an account and how they fit together.
func (v *validator) limits(account *Account, path string) {
	v.between(path+".maxInFlight", account.MaxInFlight, 1, 1_000_000)
	v.between(path+".retry.attempts", account.Retry.Attempts, 1, 1000)
	v.between(path+".breaker.failures", account.Breaker.Failures, 1, 1_000_000)
	if account.Retry.MinBackoff > account.Retry.MaxBackoff {
		v.at(path+".retry.minBackoff", "%s is over maxBackoff (%s); lower it or raise maxBackoff", account.Retry.MinBackoff, account.Retry.MaxBackoff)
	}
	if account.Track.Interval > account.Track.Timeout {
		v.at(path+".track.interval", "%s is over timeout (%s); lower it or raise timeout", account.Track.Interval, account.Track.Timeout)
	}
}

func (v *validator) projects(account *Account, path string) {
	for _, region := range slices.Sorted(maps.Keys(account.Projects)) {
		at := path + ".projects." + region
		switch {
		case !account.facts.NeedsProject:
			v.at(path+".projects", "%s has no projects; remove it", account.Vendor)
		case !account.Serves(region) && !v.isBad(path+".regions"):
			v.atKey(at, "the region is not one of regions (%s); correct it or list the region there", strings.Join(account.Regions, ", "))
		case !projectPattern.MatchString(account.Projects[region]):
			v.at(at, "%s cannot be a project id; use 1 to 64 of letters, digits, '.', _ and -", quoteShort(account.Projects[region]))
		}
	}
	for _, region := range account.Regions {
		if account.facts.NeedsProject && account.Projects[region] == "" && regionPattern.MatchString(region) {
			v.at(path+".projects."+region, "is missing; %s needs the project id of every region", account.Vendor)
		}
	}
}

// allow fills in the default and refuses what the vendor does not offer.
func (v *validator) allow(account *Account, path string) {
	offered := offers(account.facts)
	defaults := defaultAllow(account.facts)
	switch {
	case account.Allow == nil:
		account.Allow = defaults
	case slices.Equal(account.Allow, harmless) && len(defaults) > 0 && len(defaults) < len(harmless):
		// The default as the documentation writes it means the default.
		account.Allow = defaults
		v.warn("account %s of %s allows %s; its vendor does not offer the rest of %s.allow", account.Name, account.Vendor, defaults[0], path)
	}
	for i, op := range account.Allow {
		at := fmt.Sprintf("%s.allow[%d]", path, i)
		switch {
		case !slices.Contains(operations, op):
			v.at(at, "%s is no operation; %s offers %s", quoteShort(string(op)), account.Vendor, strings.Join(offered, ", "))
		case !account.facts.Supports(op):
			v.at(at, "%s does not offer %s; it offers %s", account.Vendor, op, strings.Join(offered, ", "))
		case slices.Index(account.Allow, op) < i:
			v.at(at, "%s is listed twice; remove one", op)
		}
	}
	if len(account.Allow) == 0 {
		v.warn("account %s of %s allows no operation; list in %s.allow what it may do: %s", account.Name, account.Vendor, path, strings.Join(offered, ", "))
	}
}

// defaultAllow is the harmless operations, where the vendor has them.
func defaultAllow(facts vendors.Facts) []vendors.Operation {
	var allow []vendors.Operation
	for _, op := range harmless {
		if facts.Supports(op) {
			allow = append(allow, op)
		}
	}
	return allow
}

// offers lists the operations of a vendor, most harmless first.
func offers(facts vendors.Facts) []string {
	var names []string
	for _, op := range operations {
		if facts.Supports(op) {
			names = append(names, string(op))
		}
	}
	return names
}

func (v *validator) quotas(account *Account, path string) {
	known := slices.Sorted(maps.Keys(account.facts.Quotas))
	for _, action := range slices.Sorted(maps.Keys(account.Quotas)) {
		if !slices.Contains(known, action) {
			v.atKey(path+".quotas."+action, "%s has no such action%s; known: %s", account.Vendor, suggestion(action, known), strings.Join(known, ", "))
		}
	}
}

// endpoint checks the base URL. It is not shown: it may hold a password.
func (v *validator) endpoint(account *Account, path string) {
	// Any word will do for the region: none changes what is checked.
	switch endpoint := account.EndpointFor("region"); endpoint {
	case "":
		v.at(path+".endpoint", "is missing; %s has no default, so give its base URL", account.Vendor)
	default:
		if problem := endpointProblem(endpoint); problem != "" {
			v.at(path+".endpoint", "%s", problem)
		}
	}
}

func endpointProblem(endpoint string) string {
	parsed, err := url.Parse(endpoint)
	switch {
	case strings.ContainsAny(endpoint, "{}"):
		return "holds braces other than {region}; only {region} is replaced"
	case err != nil || parsed.Hostname() == "":
		return "is not a base URL; write https://host, and {region} where the region goes"
	case parsed.User != nil || parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != "":
		return "holds more than a base URL; leave out user, query and fragment"
	case !validPort(parsed.Port()):
		return "has a port out of range; use 1 to 65535"
	case parsed.Scheme == "https", parsed.Scheme == "http" && loopback(parsed.Hostname()):
		return ""
	case parsed.Scheme == "http":
		return "is http to another machine; use https (http is for loopback addresses)"
	}
	return "has an unknown scheme; use https"
}
