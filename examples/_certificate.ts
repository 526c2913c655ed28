/** A certificate for `localhost`, made with openssl. It has signed itself: who is given it, trusts it. */
export const CERT = `-----BEGIN CERTIFICATE-----
MIIBIjCB1aADAgECAhRvAGjfBVtz+itLDKQw1Oc9HuUoqjAFBgMrZXAwFDESMBAG
A1UEAwwJbG9jYWxob3N0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAw
WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwKjAFBgMrZXADIQDKV4b/0g7ubM9rNzbU
oe/B2rq8+xocRYdf+WTt4EHGq6M3MDUwFAYDVR0RBA0wC4IJbG9jYWxob3N0MB0G
A1UdDgQWBBRR3J3+WUAB57LDhDQc7JMN0oKSoDAFBgMrZXADQQDlcomIbz4Z09/5
DIh3OFVVGazR/85IiaKvaaYVEuatMcgV7Rtdja68hG2TCfPVGWB2e2kcGPbJOmNM
ZFnrkwIH
-----END CERTIFICATE-----`;
/** Its private key, which is no secret. */
export const KEY = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIF+id6DdqDvkQ5R7KVXcBMcku/ROql0J5HFSyiTALe13
-----END PRIVATE KEY-----`;
