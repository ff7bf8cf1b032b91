package tencentcrs

import (
	"maps"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	publishedID  = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA"
	publishedKey = "Gu5t9xGARNpq86cd98joQYCN3Cozk1qA"
)

// with gives params and more, in pairs.
func with(params map[string]string, more ...string) map[string]string {
	params = maps.Clone(params)
	for i := 0; i < len(more); i += 2 {
		params[more[i]] = more[i+1]
	}
	return params
}

var (
	v1 = map[string]string{
		"Action": "DescribeInstances", "InstanceIds.0": "ins-09dx96dg", "Nonce": "11886", "Region": "ap-guangzhou",
		"SecretId": publishedID, "Timestamp": "1465185768",
	}
	v2 = map[string]string{
		"Action": "DescribeInstances", "Nonce": "345122", "Region": "gz", "SecretId": publishedID, "Timestamp": "1408704141",
	}
	crs = map[string]string{
		"Action": "RestoreInstance", "Nonce": "11886", "Region": "gz", "SecretId": testID, "Timestamp": "1500000000",
		"backupId": "e824aecc-ef5e-11e6-a2c7-525400082493", "password": "12D3E@!r5ed", "redisId": "crs-izbob1wh",
	}
	describe = map[string]string{
		"Action": "DescribeTaskInfo", "Nonce": "11887", "Region": "gz", "SecretId": testID, "Timestamp": "1500000000",
		"SignatureMethod": "HmacSHA256", "requestId": "375074",
	}
	v3get = map[string]string{
		"Action": "DescribeInstances", "InstanceIds.0": "ins-09dx96dg", "Limit": "20", "Nonce": "11886", "Offset": "0",
		"Region": "ap-guangzhou", "SecretId": testID, "Timestamp": "1465185768", "Version": "2017-03-12",
	}
	v3post = map[string]string{
		"Action": "RestoreInstance", "BackupId": "678362566696298532848117", "InstanceId": "crs-5a4py64p", "Nonce": "11886",
		"Password": "mypassword", "Region": "ap-guangzhou", "SecretId": testID, "SignatureMethod": "HmacSHA256",
		"Timestamp": "1700000000", "Version": "2018-04-12",
	}
)

// The vectors without "published" were computed with the vendor's SDK.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	const host = "redis.api.qcloud.com"
	cases := []struct {
		name, method, host, path string
		params                   map[string]string
		key, want                string
	}{
		{"V1 published", "GET", "cvm.api.qcloud.com", path, with(v1, "SignatureMethod", "HmacSHA256"), publishedKey, "0EEm/HtGRr/VJXTAD9tYMth1Bzm3lLHz5RCDv1GdM8s="},
		{"V1 SHA-1 published", "GET", "cvm.api.qcloud.com", path, with(v1, "SignatureMethod", "HmacSHA1"), publishedKey, "nPVnY6njQmwQ8ciqbPl5Qe+Oru4="},
		{"V1 without method", "GET", "cvm.api.qcloud.com", path, v1, publishedKey, "B6cecqdJznPP5xUBExLyaWYdre4="},
		{"V2 published", "GET", "cvm.api.qcloud.com", path, v2, publishedKey, "HgIYOPcx5lN6gz8JsCFBNAWp2oQ="},
		{"GET", "GET", host, path, crs, testKey, "IXZadG2yOEyCUwUzkRvAeojLoqk="},
		{"GET SHA-1", "GET", host, path, with(crs, "SignatureMethod", "HmacSHA1"), testKey, "nEt67tncXSMEq5kgSSJU1j7HeCk="},
		{"GET SHA-256", "GET", host, path, with(crs, "SignatureMethod", "HmacSHA256"), testKey, "vXWpZicCM7PyWKSGE6xXiNM6RBc0p7RoIDXPLroqHs4="},
		{"POST", "POST", host, path, crs, testKey, "E7/GdoCSFrZXe5T8/f0o/mzQrbo="},
		{"POST SHA-1", "POST", host, path, with(crs, "SignatureMethod", "HmacSHA1"), testKey, "0nYy8kVIU5c0wnO19R++s65iz50="},
		{"POST SHA-256", "POST", host, path, with(crs, "SignatureMethod", "HmacSHA256"), testKey, "GKIU0CFpB//r/7usou69ahqH/SKdPV0O+C7Hhn31PEs="},
		{"POST with token", "POST", host, path, with(crs, "SignatureMethod", "HmacSHA256", "Token", "tok+/=1"), testKey, "2QPtcYHoy2KYONKKZ8Pe5vK7MhzjSiWk8DwFmmOtGVk="},
		{"GET DescribeTaskInfo", "GET", host, path, describe, testKey, "nDY7ypvp65k8VTD3y9IkyHRUBAlnoUaHKhBrCdSLYK0="},
		// The same rule signs API 3.0 in its oldest version, under the path "/".
		{"API 3.0 published", "GET", "cvm.tencentcloudapi.com", "/", v3get, testKey, "EliP9YW3pW28FpsEdkXt/+WcGeI="},
		{"API 3.0", "POST", "redis.tencentcloudapi.com", "/", v3post, testKey, "F/251/ntocrvOVuqxrOufJgtoKatTUwpAEbvelBLr6o="},
	}
	for _, c := range cases {
		if got := Signature(c.method, c.host, c.path, c.params, secret.New(c.key)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestSignGivesTheForm(t *testing.T) {
	t.Parallel()
	own := map[string]string{"backupId": "e824aecc-ef5e-11e6-a2c7-525400082493", "password": "12D3E@!r5ed", "redisId": "crs-izbob1wh"}
	want := map[string]string{
		"": "Action=RestoreInstance&Nonce=11886&Region=gz&SecretId=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE&Signature=GKIU0CFpB%2F%2Fr%2F7usou69ahqH%2FSKdPV0O%2BC7Hhn31PEs%3D" +
			"&SignatureMethod=HmacSHA256&Timestamp=1500000000&backupId=e824aecc-ef5e-11e6-a2c7-525400082493&password=12D3E%40%21r5ed&redisId=crs-izbob1wh",
		testToken: "Action=RestoreInstance&Nonce=11886&Region=gz&SecretId=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE&Signature=2QPtcYHoy2KYONKKZ8Pe5vK7MhzjSiWk8DwFmmOtGVk%3D" +
			"&SignatureMethod=HmacSHA256&Timestamp=1500000000&Token=tok%2B%2F%3D1&backupId=e824aecc-ef5e-11e6-a2c7-525400082493&password=12D3E%40%21r5ed&redisId=crs-izbob1wh",
	}
	for token, form := range want {
		creds := vendors.Credentials{AccessKey: testID, SecretKey: secret.New(testKey), SessionToken: secret.New(token)}
		got := Sign("redis.api.qcloud.com", "gz", "RestoreInstance", own, creds, time.Unix(1500000000, 0), 11886).Encode()
		if got != form {
			t.Errorf("token %q: got\n%s\nwant\n%s", token, got, form)
		}
	}
	if len(own) != 3 {
		t.Errorf("the caller's parameters were changed: %v", own)
	}
}

func TestNonce(t *testing.T) {
	t.Parallel()
	seen := map[uint32]bool{}
	for range 1000 {
		n := newNonce()
		if n == 0 || n >= 1<<31 {
			t.Fatalf("nonce %d", n)
		}
		seen[n] = true
	}
	if len(seen) < 990 {
		t.Errorf("%d different nonces of 1000", len(seen))
	}
}
