// Copyright: Matcha contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What runs in the test node's own images, and as the first process of the node itself.
//
//	pod pause            waits to be ended, and buries what dies under it
//	pod serve [ADDRESS]  answers /, /lookup?name=, /get?url=, /read?path= and /write?path= (a body)
//	pod lookup NAME      prints the addresses of a name
//	pod get URL          prints what an address answers
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func pause() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}

func lookup(name string) (string, error) {
	addresses, err := net.LookupHost(name)
	return strings.Join(addresses, "\n"), err
}

func get(address string) (string, error) {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(address)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

func read(path string) (string, error) {
	data, err := os.ReadFile(path)
	return string(data), err
}

func answered(field string, work func(string) (string, error)) http.HandlerFunc {
	return func(writer http.ResponseWriter, request *http.Request) {
		text, err := work(request.URL.Query().Get(field))
		if err != nil {
			http.Error(writer, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintln(writer, text)
	}
}

func write(writer http.ResponseWriter, request *http.Request) {
	data, err := io.ReadAll(request.Body)
	if err == nil {
		err = os.WriteFile(request.URL.Query().Get("path"), data, 0o600)
	}
	if err != nil {
		http.Error(writer, err.Error(), http.StatusBadGateway)
	}
}

func serve(address string) error {
	host, _ := os.Hostname()
	http.HandleFunc("/", answered("", func(string) (string, error) { return host, nil }))
	http.HandleFunc("/lookup", answered("name", lookup))
	http.HandleFunc("/get", answered("url", get))
	http.HandleFunc("/read", answered("path", read))
	http.HandleFunc("/write", write)
	return http.ListenAndServe(address, nil)
}

func run(arguments []string) error {
	argument := func(fallback string) string {
		if len(arguments) > 1 {
			return arguments[1]
		}
		return fallback
	}
	var text string
	var err error
	switch arguments[0] {
	case "pause":
		pause()
	case "serve":
		err = serve(argument(":8080"))
	case "lookup":
		text, err = lookup(argument("localhost"))
	case "get":
		text, err = get(argument(""))
	default:
		err = fmt.Errorf("%s is nothing that this can do: pause, serve, lookup or get", arguments[0])
	}
	if text != "" {
		fmt.Println(text)
	}
	return err
}

func main() {
	arguments := os.Args[1:]
	if len(arguments) == 0 {
		arguments = []string{filepath.Base(os.Args[0])}
	}
	if err := run(arguments); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
