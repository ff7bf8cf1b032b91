package emulator

import (
	"errors"
	"fmt"
	"strings"
)

func adminFaults(s *Server, q adminRequest) (any, error) {
	if err := q.only(); err != nil {
		return nil, err
	}
	return map[string]any{"faults": s.Faults()}, nil
}

func adminSetFault(s *Server, q adminRequest) (any, error) {
	var f Fault
	if err := decodeStrict(q.body, &f); err != nil {
		return nil, fmt.Errorf("fault: %w", err)
	}
	id, err := s.SetFault(f)
	if err != nil {
		return nil, err
	}
	return map[string]string{"id": id}, nil
}

func adminClearFaults(s *Server, q adminRequest) (any, error) {
	if err := q.only("id"); err != nil {
		return nil, err
	}
	if id := q.query.Get("id"); id != "" {
		if !s.ClearFault(id) {
			return nil, fmt.Errorf("no fault has the id %q", id)
		}
		return struct{}{}, nil
	}
	s.ClearFaults()
	return struct{}{}, nil
}

// settingsJSON is the form of the settings in the administration.
type settingsJSON struct {
	Quirks      Quirks      `json:"quirks"`
	Transitions Transitions `json:"transitions"`
	Quotas      Quotas      `json:"quotas"`
}

func adminSettings(s *Server, q adminRequest) (any, error) {
	if err := q.only(); err != nil {
		return nil, err
	}
	set := s.settings.Load()
	return settingsJSON{set.quirks, set.transitions, set.quotas}, nil
}

// adminSetSettings decodes onto a copy of what is in force, so that only the
// given fields change.
func adminSetSettings(s *Server, q adminRequest) (any, error) {
	err := s.change(func(set *settings) error {
		j := settingsJSON{set.quirks, set.transitions, set.quotas}
		if err := decodeStrict(q.body, &j); err != nil {
			return fmt.Errorf("settings: %w", err)
		}
		*set = settings{j.Quirks, j.Transitions, j.Quotas.withDefaults()}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return adminSettings(s, adminRequest{})
}

func adminSetInstance(s *Server, q adminRequest) (any, error) {
	if len(q.rest) != 2 {
		return nil, errors.New("want instances/{vendor}/{id}")
	}
	var c InstanceSettings
	if len(strings.TrimSpace(string(q.body))) > 0 {
		if err := decodeStrict(q.body, &c); err != nil {
			return nil, fmt.Errorf("instance: %w", err)
		}
	}
	return c, s.SetInstance(Vendor(q.rest[0]), q.rest[1], c)
}

func adminReset(s *Server, q adminRequest) (any, error) {
	if err := q.only(); err != nil {
		return nil, err
	}
	s.Reset()
	return struct{}{}, nil
}
