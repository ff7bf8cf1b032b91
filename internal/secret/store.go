package secret

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/nats-io/nkeys"
)

// MaxSize bounds a secret in bytes, in a file as well as sealed.
const MaxSize = 64 << 10

// refPattern is what a Kubernetes secret allows as a key, without the leading
// dot of its own bookkeeping files.
var refPattern = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}$`)

// Store opens the passwords of instances: those kept as files in a directory
// and those sealed to the consumer's key. It holds no password itself.
type Store struct {
	dir string
	key nkeys.KeyPair
}

// NewStore makes a store of the directory's files and of what is sealed to the
// seed (an X25519 seed of NATS, SX...). The directory need not exist, and the
// seed may be empty, until a command asks for them.
func NewStore(dir string, xkeySeed Text) (*Store, error) {
	s := &Store{dir: dir}
	seed := strings.TrimSpace(xkeySeed.Reveal())
	if seed == "" {
		return s, nil
	}
	key, err := nkeys.FromCurveSeed([]byte(seed))
	if err != nil {
		return nil, errors.New("opening the secret store: the xkey seed is not an X25519 seed of NATS (SX...); make one with `nk -gen x25519`")
	}
	s.key = key
	return s, nil
}

// ByRef reads the secret kept in the directory's file of that name, at each use,
// so that a replaced file counts at once. One trailing newline is cut.
func (s *Store) ByRef(name string) (Text, error) {
	if !refPattern.MatchString(name) {
		// Not echoed: what is no name may be the password itself.
		return Text{}, errors.New("reading a secret: the secretRef is not a file name; use letters, digits, '.', '_' and '-', not starting with '.'")
	}
	if s.dir == "" {
		return Text{}, fmt.Errorf("reading secret %q: no secrets directory is configured; set secrets.dir", name)
	}
	// A Root follows the symbolic links of a mounted Kubernetes secret, but none
	// that leads out of the directory.
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return Text{}, fmt.Errorf("reading secret %q: directory %s cannot be opened (%w); check secrets.dir", name, s.dir, cause(err))
	}
	defer root.Close()
	content, err := readRegular(root, name)
	if err != nil {
		return Text{}, fmt.Errorf("reading secret %q in %s: %w", name, s.dir, err)
	}
	return New(CutNewline(content)), nil
}

// readRegular reads a regular file of bounded size.
func readRegular(root *os.Root, name string) (string, error) {
	// Asked before opening: opening a named pipe would wait for its writer.
	info, err := root.Stat(name)
	if err != nil {
		return "", fmt.Errorf("%w; put a file of that name there", cause(err))
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is not a regular file; put the secret into a plain file")
	}
	file, err := root.Open(name)
	if err != nil {
		return "", fmt.Errorf("%w; make it readable for this user", cause(err))
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("%w; check the file", cause(err))
	case len(content) > MaxSize:
		return "", fmt.Errorf("it is over %d bytes; a secret must be smaller", MaxSize)
	case CutNewline(string(content)) == "":
		return "", errors.New("it is empty; write the secret into it")
	}
	return string(content), nil
}

// cause strips operation and path from a file error, which the caller names.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// CutNewline cuts one trailing newline, as editors and echo leave it.
func CutNewline(s string) string {
	cut, found := strings.CutSuffix(s, "\n")
	if found {
		cut = strings.TrimSuffix(cut, "\r")
	}
	return cut
}
