package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version, commit and date are stamped by the linker (-X main.version=...). The date is
// the commit's, so that the same source makes the same program.
var version, commit, date string

const versionHelp = `Print the version, the commit it was built from and its date, and the release of Go.

  consumer version
  consumer version --output json | jq -r .version`

// buildFacts is what is known of this program's making.
type buildFacts struct {
	Version   string `json:"version"`
	Commit    string `json:"commit,omitempty"`
	Date      string `json:"date,omitempty"`
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
}

// thisBuild is what was stamped, or else what the Go toolchain knows.
func thisBuild() buildFacts {
	b := buildFacts{version, commit, date, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision" && b.Commit == "":
				b.Commit = s.Value
			case s.Key == "vcs.time" && b.Date == "":
				b.Date = s.Value
			}
		}
		if b.Version == "" {
			b.Version = info.Main.Version
		}
	}
	if b.Version == "" {
		b.Version = "devel"
	}
	return b
}

// buildVersion is the version alone.
func buildVersion() string { return thisBuild().Version }

func newVersion(s std) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "version", Short: "Print version, commit and date", Long: versionHelp, Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			b := thisBuild()
			if output == "json" {
				return writeJSON(s.out, b)
			}
			t := &table{}
			t.row("version", b.Version)
			t.row("commit", orDash(b.Commit))
			t.row("date", orDash(b.Date))
			t.row("go", b.GoVersion)
			t.row("platform", b.Platform)
			t.print(s.out, false)
			return nil
		},
	}
	outputFlag(cmd, &output)
	return cmd
}

// orDash shows that something is not known.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
