package config

import (
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeFile is a file in memory whose reads and stamps are counted.
type fakeFile struct {
	mu       sync.Mutex
	content  string
	modified time.Time
	reads    int
	stats    int
	missing  bool
}

func (f *fakeFile) set(content string, modified time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.content, f.modified = content, modified
}

func (f *fakeFile) counts() (reads, stats int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads, f.stats
}

func (f *fakeFile) files() files {
	return files{
		read: func(string) ([]byte, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.reads++
			if f.missing {
				return nil, fs.ErrNotExist
			}
			return []byte(f.content), nil
		},
		stat: func(string) (fs.FileInfo, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.stats++
			return fakeInfo{size: int64(len(f.content)), modified: f.modified}, nil
		},
	}
}

type fakeInfo struct {
	fs.FileInfo
	size     int64
	modified time.Time
}

func (i fakeInfo) Size() int64        { return i.size }
func (i fakeInfo) ModTime() time.Time { return i.modified }

// ringOver is a keyring whose secret is the file's content.
func ringOver(file *fakeFile) *keyring {
	part := func(name, path, text string) field {
		v := interpolated{references: []string{"${x}"}}
		if path != "" {
			v.segments = []segment{{file: path}}
		} else {
			parsed, _ := (&interpolator{}).parse(text)
			v.segments = parsed.segments
		}
		return field{name, Source{parsed: v, set: true}}
	}
	return configured("prod", part("accessKey", "", "ak"), part("secretKey", "/secret", ""), field{}, file.files())
}

func mustGet(t *testing.T, ring *keyring, want string) {
	t.Helper()
	got, err := ring.get()
	if err != nil || got.Secret.Reveal() != want || got.Key != "ak" {
		t.Fatalf("got %s %q, %v, want %q", got.Key, got.Secret.Reveal(), err, want)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old := time.Now().Add(-time.Hour)
		file := &fakeFile{content: "one\n", modified: old}
		ring := ringOver(file)
		for range 100 {
			mustGet(t, ring, "one")
		}
		if reads, stats := file.counts(); reads != 1 || stats != 1 {
			t.Errorf("within a second: %d reads, %d stats, want one each", reads, stats)
		}
		time.Sleep(lookAgain)
		mustGet(t, ring, "one")
		if reads, stats := file.counts(); reads != 1 || stats != 2 {
			t.Errorf("unchanged: %d reads, %d stats, want 1 and 2", reads, stats)
		}
		file.set("two\n", old.Add(time.Minute))
		mustGet(t, ring, "one")
		time.Sleep(lookAgain)
		mustGet(t, ring, "two")
		file.set("three\n", old.Add(time.Minute))
		time.Sleep(lookAgain)
		mustGet(t, ring, "three") // the same time, another size
	})
}

// TestRotationWithinOneTimeStamp: a file changed twice within the grain of its
// time stamp is read again although nothing shows it.
func TestRotationWithinOneTimeStamp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		file := &fakeFile{content: "one", modified: now}
		ring := ringOver(file)
		mustGet(t, ring, "one")
		file.set("two", now)
		time.Sleep(lookAgain)
		mustGet(t, ring, "two")
	})
}

func TestRotationThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old := time.Now().Add(-time.Hour)
		file := &fakeFile{content: "one", modified: old}
		ring := ringOver(file)
		mustGet(t, ring, "one")
		file.set("\n", old.Add(time.Minute))
		time.Sleep(lookAgain)
		got, err := ring.get()
		if err == nil || !got.Secret.Empty() || !strings.Contains(err.Error(), "credentials of account prod: secretKey is empty") {
			t.Errorf("an emptied file: %v, %v", got, err)
		}
		file.missing = true
		time.Sleep(lookAgain)
		if _, err := ring.get(); err == nil || !strings.Contains(err.Error(), "/secret") {
			t.Errorf("a missing file: %v", err)
		}
		file.missing = false
		file.set("two", old.Add(time.Minute))
		time.Sleep(lookAgain)
		mustGet(t, ring, "two")
	})
}

func TestRingFromManyGoroutines(t *testing.T) {
	t.Parallel()
	file := &fakeFile{content: "one", modified: time.Now()}
	ring := ringOver(file)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				if got, err := ring.get(); err != nil || got.Secret.Reveal() != "one" {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}
