package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/secret"
)

const sealHelp = `Seal a secret from standard input, so that only the consumer can open it, and print
one line of base64 that goes into a command: "password": {"sealed": "..."}.

  printf %s "$PASSWORD" | consumer seal --config sluice.yaml
  SEALED=$(consumer seal --key XPUBLICKEY < password.txt)
  consumer send flush INSTANCE --password-sealed "$SEALED" ...

One trailing newline is cut. On a terminal the secret is asked for without echo.
--config takes the key from secrets.xkeySeedFile of the consumer's configuration;
--key is its public half (X...), which is no secret.

Exit codes: 0 sealed, 1 standard input cannot be read, 2 wrong usage, an empty secret
or a wrong key.`

func newSeal(s std) *cobra.Command {
	var file, key string
	cmd := &cobra.Command{
		Use: "seal --config FILE | --key PUBLICKEY", Short: "Seal a secret to the consumer's key", Long: sealHelp, Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			public, err := sealKey(file, key)
			if err != nil {
				return err
			}
			plain, err := readSecret(s)
			if err != nil {
				return err
			}
			sealed, err := secret.Seal(public, []byte(plain.Reveal()))
			if err != nil {
				return usageError{err}
			}
			_, err = fmt.Fprintln(s.out, sealed)
			return err
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "the consumer's configuration, with secrets.xkeySeedFile")
	cmd.Flags().StringVar(&key, "key", "", "the consumer's public X25519 key (X...)")
	return cmd
}

// sealKey finds the public key to seal to.
func sealKey(file, key string) (string, error) {
	switch {
	case (file == "") == (key == ""):
		return "", usagef("seal needs either --config FILE or --key PUBLICKEY")
	case key != "":
		return key, nil
	}
	conf, err := config.Load(file, config.Options{Catalog: catalog()})
	if err != nil {
		return "", usageError{err}
	}
	store, err := conf.Secrets.Open()
	if err != nil {
		return "", usageError{err}
	}
	public, err := store.PublicKey()
	if err != nil {
		return "", usageError{err}
	}
	return public, nil
}

// readSecret reads the secret, without echo on a terminal.
func readSecret(s std) (secret.Text, error) {
	var raw []byte
	var err error
	if isTerminal(s.in) {
		fmt.Fprint(s.err, "Secret: ")
		raw, err = term.ReadPassword(int(s.in.(*os.File).Fd()))
		fmt.Fprintln(s.err)
	} else {
		// Two bytes more than allowed tell a secret that is too long from one with
		// a newline at its end.
		raw, err = io.ReadAll(io.LimitReader(s.in, secret.MaxSize+2))
	}
	if err != nil {
		return secret.Text{}, fmt.Errorf("read the secret from standard input: %w", err)
	}
	plain := secret.New(secret.CutNewline(string(raw)))
	if plain.Empty() {
		return plain, usagef("standard input holds no secret; pipe it in, as in: printf %%s \"$PASSWORD\" | consumer seal ...")
	}
	return plain, nil
}
