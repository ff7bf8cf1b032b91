package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/intake"
	"github.com/seed-7b870224/sluice/internal/telemetry"
)

// newReference writes the reference documents that are generated from code; the
// checks of the repository compare them.
func newReference(s std) *cobra.Command {
	return &cobra.Command{
		Use: "reference DIR", Short: "Write the generated reference documents", Hidden: true, Args: exactly(1, "a directory"),
		RunE: func(_ *cobra.Command, args []string) error {
			registry := telemetry.NewRegistry("devel")
			dispatch.NewMetrics(registry)
			intake.NewMetrics(registry)
			newLedgerSize(registry)
			metrics, err := telemetry.Markdown(registry)
			if err != nil {
				return err
			}
			for name, text := range map[string]string{
				"configuration.md": config.Markdown(),
				"metrics.md":       metrics,
				"commands.md":      commandsMarkdown(s),
				"vendors-table.md": vendorsMarkdown(),
				"outcomes.md":      dispatch.OutcomeTable(),
			} {
				if err := os.WriteFile(filepath.Join(args[0], name), []byte(text), 0o644); err != nil {
					return fmt.Errorf("write reference: %w", err)
				}
			}
			return nil
		},
	}
}
