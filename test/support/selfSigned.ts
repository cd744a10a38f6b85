/**
 * A certificate for `localhost` that nobody vouches for, and its key: for tests of what a client does with such a server.
 */
export const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgh3ENokxTxVcVM66O
crauaNdP8e7c2GD3CMJ8a26bItqhRANCAATb6ogSJHFIcN3bbYMGchY5DflyzfL9
XCfvplr5b0HHWdbOtnrGdCZufWeAi5ylHNJxnJQaYEUg4L/+y5Wpmo0w
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBszCCAVmgAwIBAgIUJb48hHOowR0XNy5jidieI/GZRl0wCgYIKoZIzj0EAwIw
IDEeMBwGA1UEAwwVbW9sZWN1bGUtZWZmZWN0IHRlc3RzMCAXDTI2MTEyNDA1MjQy
OVoYDzIxMjYxMDMxMDUyNDI5WjAgMR4wHAYDVQQDDBVtb2xlY3VsZS1lZmZlY3Qg
dGVzdHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATb6ogSJHFIcN3bbYMGchY5
DflyzfL9XCfvplr5b0HHWdbOtnrGdCZufWeAi5ylHNJxnJQaYEUg4L/+y5Wpmo0w
o28wbTAdBgNVHQ4EFgQU1Oq+XEdbInopn1bAIGcmpWRAoPEwHwYDVR0jBBgwFoAU
1Oq+XEdbInopn1bAIGcmpWRAoPEwDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzAR
gglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIhAL4gn0/tZPPfrqAJ
6ZoDhmV3PTTqmnpsWefF//k+Asx1AiBigILtvT+pDPHFkw3Pme0ysb6Pi16S4Qv7
aeOk+ajUcA==
-----END CERTIFICATE-----
`
}
