/**
 * What cosign 3.1.3 itself wrote for one image with `-a env=prod`: by tag (`--new-bundle-format=false`), and as a Sigstore
 * bundle.
 */
export const byCosign = {
  digest: 'sha256:bf6958f59531c7c9b28ddb51d6a5f787fb673df004f003a9740366c172380daa',
  publicKey: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELJl0wNITjUSjnRP4GD/KkA0IaHO8
OZNlFSUTDDCrWbBzXbVaqApS9cy6+eqaXlGh+FPqiUPoL/CbSIS8WXmVtg==
-----END PUBLIC KEY-----
`,
  payload: [
    '{"critical":{"identity":{"docker-reference":"127.0.0.1:26015/demo/hello"},"image":{"docker-manifest-',
    'digest":"sha256:bf6958f59531c7c9b28ddb51d6a5f787fb673df004f003a9740366c172380daa"},"type":"cosign co',
    'ntainer image signature"},"optional":{"env":"prod"}}',
  ].join(''),
  signature:
    'MEQCICALOC1GCmJG8F3o2tygRvD3qPQYNgEqTBbCU1JWr+q9AiB1/1u0/jA1eQgTsqbVZb8vq9skbmykfoPvln7MNxUtWw==',
  bundle: [
    '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"h',
    'int":"3NFZ0Nme8SDPekWHYJCrgrlPv0O7162bvjZdrZ7Y2GM="}},"dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHB',
    'zOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJkaWdlc3QiOnsic2hhMjU2IjoiYmY2OTU4ZjU5NTMxYzd',
    'jOWIyOGRkYjUxZDZhNWY3ODdmYjY3M2RmMDA0ZjAwM2E5NzQwMzY2YzE3MjM4MGRhYSJ9LCJhbm5vdGF0aW9ucyI6eyJlbnYiOiJ',
    'wcm9kIn19XSwicHJlZGljYXRlVHlwZSI6Imh0dHBzOi8vc2lnc3RvcmUuZGV2L2Nvc2lnbi9zaWduL3YxIiwicHJlZGljYXRlIjp',
    '7fX0=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"MEUCIQCuYr8EDJIBbhNCow27jF',
    'JMyBIW+RJN7wI+pndDj50I+gIgX4JIPAm0jgH2cbfeGwhPFhv3k/mdaaw2kezSKpaP8Ak="}]}}',
  ].join(''),
} as const;
