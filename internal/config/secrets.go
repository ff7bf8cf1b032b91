package config

import (
	"fmt"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// Open makes the store of instance passwords, reading the seed's file.
func (s Secrets) Open() (*secret.Store, error) {
	if s.XKeySeedFile == "" {
		return secret.NewStore(s.Dir, secret.Text{})
	}
	seed, err := files{read: readBounded}.text(s.XKeySeedFile)
	if err != nil {
		return nil, fmt.Errorf("opening the secret store: secrets.xkeySeedFile: %w", err)
	}
	return secret.NewStore(s.Dir, secret.New(seed))
}
