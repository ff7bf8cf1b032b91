package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strconv"
	"time"
)

// request is what is read of an HTTP request.
type request struct {
	target, body []byte
	close        bool
}

// serve answers the requests of one connection, in order. It is a small part of
// HTTP/1.1, enough for clients that send bodies with a length.
func serve(conn net.Conn, v *vendor) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 16<<10)
	var r request
	var out []byte
	for {
		if err := r.read(in); err != nil {
			return
		}
		out = v.answer(out[:0], &r, time.Now())
		if _, err := conn.Write(out); err != nil || r.close {
			return
		}
	}
}

// read reads one request; target and body are good until the next.
func (r *request) read(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	fields := bytes.Fields(line)
	if len(fields) < 2 {
		return io.ErrUnexpectedEOF
	}
	r.target = append(r.target[:0], fields[1]...)
	r.close = false
	length := 0
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		switch name, value, _ := bytes.Cut(line, []byte(":")); {
		case equalFold(name, "Content-Length"):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		case equalFold(name, "Connection"):
			r.close = equalFold(bytes.TrimSpace(value), "close")
		}
	}
	if cap(r.body) < length {
		r.body = make([]byte, length)
	}
	r.body = r.body[:length]
	_, err = io.ReadFull(in, r.body)
	return err
}

func equalFold(a []byte, b string) bool { return len(a) == len(b) && bytes.EqualFold(a, []byte(b)) }

// respond appends a response with a JSON body.
func respond(out []byte, body []byte) []byte {
	out = append(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(len(body)), 10)
	out = append(out, "\r\n\r\n"...)
	return append(out, body...)
}
