package emulator

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The vectors below were computed by the vendors' own SDKs or are printed in
// their documents.

// vector is a request with the signature that a vendor's tool made for it.
type vector struct {
	method, url string
	header      map[string]string
	body, auth  string
}

func (v vector) request(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), v.method, v.url, bytes.NewReader([]byte(v.body)))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range v.header {
		r.Header.Set(name, value)
	}
	r.Header.Set("Authorization", v.auth)
	return r
}

// accepts sends the vector and a copy with one letter of the signature changed.
func (v vector) accepts(t *testing.T, key Key, at time.Time) {
	t.Helper()
	c := newClient(t, Options{Keys: []Key{key}, Now: func() time.Time { return at }})
	if r := c.send(v.request(t)); authCode(r.code()) {
		t.Errorf("refused: %s %s", r.code(), r.body)
	}
	last := v.auth[len(v.auth)-1:]
	other := map[bool]string{true: "1", false: "0"}[last == "0"]
	v.auth = strings.TrimSuffix(v.auth, last) + other
	if r := c.send(v.request(t)); !authCode(r.code()) {
		t.Errorf("accepted a wrong signature: %s", r.body)
	}
}

func authCode(code string) bool {
	return code == "SignatureDoesNotMatch" || code == "InvalidAccessKey" || code == "InvalidCredential" || code == "InvalidTimestamp" ||
		code == "InvalidAuthorization" || code == "InvalidSecretToken" || strings.HasPrefix(code, "APIGW.03") ||
		strings.HasPrefix(code, "AuthFailure") || code == "4100" || code == "4104" || code == "4500" || code == "4105"
}

var vectorTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestVolcengineVectors(t *testing.T) {
	t.Parallel()
	const (
		restart = `{"ClientToken":"tok-0001","InstanceId":"redis-cn0212gzmh2xsabcd"}`
		list    = `{"PageNumber":1,"PageSize":100}`
		signed  = "content-type;host;x-content-sha256;x-date"
		host    = "http://redis.cn-beijing.volcengineapi.com/?Action=RestartDBInstance&Version=2020-12-07"
	)
	tests := []struct {
		name, url, body, service, signed, token, canonical, signature string
	}{
		{"V1", host, restart, "redis", signed, "", "abe503813cddec7bea19defbcf2242f1b9300565bfda48db5d05d33458f0f90f", "fc843afd5dca289ba7adfde3f440adca212c315126ce23a933dbb5c137777796"},
		{"V2", host, restart, "redis", signed + ";x-security-token", "example-session-token", "b84a08b11829cf3413964a890387bc4ebca747f58fdb0a46418187cc2425e6e7", "945840eb0bb14e6daaa304f9db157434a7a38e9c532d238668e35f762945b57b"},
		{"V3", host, restart, "Redis", signed, "", "abe503813cddec7bea19defbcf2242f1b9300565bfda48db5d05d33458f0f90f", "38fc237931dddb1ad3f27ea4e071e2ae2042fc5f7797be13c07608556b51aeeb"},
		{"V4", "http://open.volcengineapi.com/?Action=DescribeDBInstances&Version=2020-12-07", list, "redis", signed, "", "a9cb22b0e8c7101c84d4c151997a16b151c8767241863714b8c4ed5134034bad", "29daed69cba741c141f9c9d22850535c6d11ffd131831f87a168e31707eb90ac"},
		{"V4 default port", "http://open.volcengineapi.com:80/?Action=DescribeDBInstances&Version=2020-12-07", list, "redis", signed, "", "", "29daed69cba741c141f9c9d22850535c6d11ffd131831f87a168e31707eb90ac"},
		{"V4b", "http://127.0.0.1:8443/?Action=DescribeDBInstances&Version=2020-12-07", list, "redis", signed, "", "7d28d16e1e871f794fcc126d584243c6d45cda903c1ebdea91c1bbd70534f9f8", "1a59ccd2a2a6672d6f107073567e9451541d226bc2cd3797ed73ef56871454ea"},
		{"V5", host, restart, "redis", "content-type;host;x-date", "", "9c7d6807420e69f42238afe092b57712251e1e1bb8b2bea83dffde48d8963b73", "6cb2c4d7706b99658b2e78f4c2cc560bc34e40174966cdfe86d10d4991af7135"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := vector{method: "POST", url: tt.url, body: tt.body, header: map[string]string{
				"Content-Type": "application/json; charset=utf-8", "X-Date": "20260102T030405Z",
				"X-Content-Sha256": hexSHA256([]byte(tt.body)),
			}}
			if tt.token != "" {
				v.header["X-Security-Token"] = tt.token
			}
			// The documents' samples separate without a space, the SDK with one.
			v.auth = "HMAC-SHA256 Credential=AKLTexample0000000001/20260102/cn-beijing/" + tt.service + "/request, SignedHeaders=" + tt.signed + ",Signature=" + tt.signature
			r := v.request(t)
			if got := hexSHA256([]byte(volcCanonical(r, []byte(tt.body), r.Host, strings.Split(tt.signed, ";")))); tt.canonical != "" && got != tt.canonical {
				t.Errorf("canonical request hashes to %s, want %s", got, tt.canonical)
			}
			v.accepts(t, Key{ID: "AKLTexample0000000001", Secret: "vlcSKexampleKey+not/Real==", SessionToken: tt.token}, vectorTime)
		})
	}
	key := volcSigningKey("vlcSKexampleKey+not/Real==", []string{"", "20260102", "cn-beijing", "redis", "request"})
	if got := hex.EncodeToString(key); got != "0d3b24fa2238e84d39ef66c00d66e7397a2a20b62490b4fea394e8a8ca6e88d8" {
		t.Errorf("signing key %s", got)
	}
}

func TestHuaweiVectors(t *testing.T) {
	t.Parallel()
	const (
		body   = `{"instances":["2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef"],"action":"restart"}`
		base   = "http://dcs.cn-north-4.myhuaweicloud.com/v2/" + testProject
		signed = "host;x-project-id;x-sdk-date"
	)
	tests := []struct {
		name, method, url, body, signed, token, canonical, signature string
	}{
		{"A", "PUT", base + "/instances/status", body + "\n", "user-agent;x-project-id;x-sdk-date", "", "a3f75c94d3a8d60fbf3e15f90fdb0c8920437e03f79873bf6b8706ec4c50278d", "f36facba334931d48c33b69f29ca9b197e458f7352d606b21c6df78e6d6449a7"},
		{"B", "PUT", base + "/instances/status", body, signed, "", "e27c01386d4e9dd7801fe4cca959decad12c4851c435c4161c160ef97aac10ef", "66c6f83e2dd1ed7474076e444e621f0e83e1852fec4129258eac0dd5b63ea1de"},
		{"C", "PUT", base + "/instances/status", body, signed + ";x-security-token", "example-security-token", "e4f08beff187b8ab1fc5538e8251eb31f24bb218896dc34dfb2490234ac5aa00", "c131ef6a6dff9482451beff278a2235af96cc546293019c106cea0469fd0f1b1"},
		{"D", "GET", base + "/instances?limit=1000&name=a%20b%2Fc&offset=0&status=RUNNING", "", signed, "", "ff602676bb466c0e6f790b86c4810f9f0aca291f2fd0b9a38a7352d642b1f834", "1921dc3e350348566905aa07f18c25ac44ab6635e34e0ab50fe05fbcf53dcc3b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := vector{method: tt.method, url: tt.url, body: tt.body, header: map[string]string{
				"X-Sdk-Date": "20260102T030405Z", "X-Project-Id": testProject, "User-Agent": "huaweicloud-usdk-go/3.0; probe",
			}}
			if tt.token != "" {
				v.header["X-Security-Token"] = tt.token
			}
			v.auth = "SDK-HMAC-SHA256 Access=HWAKEXAMPLE0000000001, SignedHeaders=" + tt.signed + ", Signature=" + tt.signature
			if got := hexSHA256([]byte(hwCanonical(v.request(t), []byte(tt.body), strings.Split(tt.signed, ";")))); got != tt.canonical {
				t.Errorf("canonical request hashes to %s, want %s", got, tt.canonical)
			}
			v.accepts(t, Key{ID: "HWAKEXAMPLE0000000001", Secret: "hwSKexampleKey+not/Real0123456789ABCDEFabcd", SessionToken: tt.token}, vectorTime)
		})
	}
}

const (
	tcVectorID  = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	tcVectorKey = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
)

func TestTencentRedisVectors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, action, body, signature string }{
		{"A", "RestoreInstance", `{"InstanceId":"crs-5a4py64p","BackupId":"678362566696298532848117","Password":"mypassword"}`, "a2101349d46d75002e9ea438919722d5389099c059a9301a40403f9a612d2bb6"},
		{"B", "RestoreInstance", `{"BackupId":"678362566696298532848117","InstanceId":"crs-5a4py64p","Password":"mypassword"}`, "41e72f508a7d58dd65f82f4758ed6e2961564bde76929e16f52ad5ddfd24dab8"},
		{"C", "DescribeTaskInfo", `{"TaskId":6954227}`, "4579c3c36828dd10dba0a52a69d5b0969471fa504f8f4cbb4e45ebe501402c8e"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := vector{method: "POST", url: "http://redis.tencentcloudapi.com/", body: tt.body, header: map[string]string{
				"Content-Type": "application/json", "X-TC-Action": tt.action, "X-TC-Version": tcVersion,
				"X-TC-Timestamp": "1700000000", "X-TC-Region": "ap-guangzhou",
			}}
			v.auth = "TC3-HMAC-SHA256 Credential=" + tcVectorID + "/2023-11-14/redis/tc3_request, SignedHeaders=content-type;host, Signature=" + tt.signature
			v.accepts(t, Key{ID: tcVectorID, Secret: tcVectorKey}, time.Unix(1700000000, 0))
		})
	}
}

// TestTencentPublishedVectors are for another service, so the signature alone is
// compared. The asterisks are the documents' masking, and part of the keys.
func TestTencentPublishedVectors(t *testing.T) {
	t.Parallel()
	const body = `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
	tests := []struct {
		name, secret, signed, signature string
		lower                           bool
	}{
		{"two headers", tcVectorKey, "content-type;host", "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168", false},
		{"masked key", "Gu5t9xGARNpq86cd98joQYCN3*******", "content-type;host", "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c", false},
		{"three headers, masked key", strings.Repeat("*", 32), "content-type;host;x-tc-action", "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f", true},
		{"three headers", tcVectorKey, "content-type;host;x-tc-action", "644be983de9a8a3f00db8eadaba61467c3b429e2215758ba897b738ca469fd26", true},
	}
	scope := []string{tcVectorID, "2019-02-25", "cvm", "tc3_request"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := vector{method: "POST", url: "http://cvm.tencentcloudapi.com/", body: body, header: map[string]string{
				"Content-Type": "application/json; charset=utf-8", "X-TC-Action": "DescribeInstances",
			}}.request(t)
			signed := strings.Split(tt.signed, ";")
			headers := canonicalHeaders(r, r.Host, signed)
			if tt.lower {
				headers = strings.ToLower(headers)
			}
			got := tcSignature(tcSigningKey(tt.secret, scope), r, []byte(body), headers, signed, scope, "1551113065")
			if got != tt.signature {
				t.Errorf("got %s, want %s", got, tt.signature)
			}
		})
	}
}

func TestCRSPublishedVectors(t *testing.T) {
	t.Parallel()
	const id, secret = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA", "Gu5t9xGARNpq86cd98joQYCN3Cozk1qA"
	v1 := "Action=DescribeInstances&InstanceIds.0=ins-09dx96dg&Nonce=11886&Region=ap-guangzhou&SecretId=" + id + "&Timestamp=1465185768"
	v2 := "Action=DescribeInstances&Nonce=345122&Region=gz&SecretId=" + id + "&Timestamp=1408704141"
	tests := []struct{ params, method, signature string }{
		{v1, "HmacSHA256", "0EEm/HtGRr/VJXTAD9tYMth1Bzm3lLHz5RCDv1GdM8s="},
		{v1, "HmacSHA1", "nPVnY6njQmwQ8ciqbPl5Qe+Oru4="},
		{v1, "", "B6cecqdJznPP5xUBExLyaWYdre4="},
		{v2, "", "HgIYOPcx5lN6gz8JsCFBNAWp2oQ="},
	}
	for _, tt := range tests {
		params, err := url.ParseQuery(tt.params)
		if err != nil {
			t.Fatal(err)
		}
		if tt.method != "" {
			params.Set("SignatureMethod", tt.method)
		}
		text := crsStringToSign("GET", "cvm.api.qcloud.com", crsPath, params)
		if got := crsSignature(secret, tt.method, text); got != tt.signature {
			t.Errorf("%s of %s: got %s, want %s", tt.method, text, got, tt.signature)
		}
	}
}

func TestCRSVectors(t *testing.T) {
	t.Parallel()
	restore := "Action=RestoreInstance&Nonce=11886&backupId=e824aecc-ef5e-11e6-a2c7-525400082493&password=12D3E%40%21r5ed&redisId=crs-izbob1wh"
	tests := []struct{ method, params, algorithm, token, signature string }{
		{"GET", restore, "", "", "IXZadG2yOEyCUwUzkRvAeojLoqk="},
		{"GET", restore, "HmacSHA1", "", "nEt67tncXSMEq5kgSSJU1j7HeCk="},
		{"GET", restore, "HmacSHA256", "", "vXWpZicCM7PyWKSGE6xXiNM6RBc0p7RoIDXPLroqHs4="},
		{"POST", restore, "", "", "E7/GdoCSFrZXe5T8/f0o/mzQrbo="},
		{"POST", restore, "HmacSHA1", "", "0nYy8kVIU5c0wnO19R++s65iz50="},
		{"POST", restore, "HmacSHA256", "", "GKIU0CFpB//r/7usou69ahqH/SKdPV0O+C7Hhn31PEs="},
		{"POST", restore, "HmacSHA256", "tok+/=1", "2QPtcYHoy2KYONKKZ8Pe5vK7MhzjSiWk8DwFmmOtGVk="},
		{"GET", "Action=DescribeTaskInfo&Nonce=11887&requestId=375074", "HmacSHA256", "", "nDY7ypvp65k8VTD3y9IkyHRUBAlnoUaHKhBrCdSLYK0="},
	}
	for _, tt := range tests {
		params, err := url.ParseQuery(tt.params + "&Region=gz&Timestamp=1500000000&SecretId=" + tcVectorID)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"SignatureMethod": tt.algorithm, "Token": tt.token} {
			if value != "" {
				params.Set(name, value)
			}
		}
		for signature, good := range map[string]bool{tt.signature: true, "A" + tt.signature[1:]: tt.signature[0] == 'A'} {
			params.Set("Signature", signature)
			v := vector{method: tt.method, url: "http://redis.api.qcloud.com" + crsPath, body: params.Encode()}
			if tt.method == "GET" {
				v.url, v.body = v.url+"?"+params.Encode(), ""
			}
			c := newClient(t, Options{
				Keys: []Key{{ID: tcVectorID, Secret: tcVectorKey, SessionToken: tt.token}},
				Now:  func() time.Time { return time.Unix(1500000000, 0) },
			})
			if code := c.send(v.request(t)).code(); authCode(code) == good {
				t.Errorf("%s %s token %q: signature %s got code %s", tt.method, tt.algorithm, tt.token, signature, code)
			}
		}
	}
}
