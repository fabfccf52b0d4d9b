// The part of OpenSSL 3 that Sluice uses.
#ifndef SLUICE_COPENSSL_H
#define SLUICE_COPENSSL_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

// A public RSA key from big-endian numbers; NULL when OpenSSL takes no such key or has no memory. OpenSSL itself would
// take an exponent of 1: what is a sane key is for the caller to decide.
static inline EVP_PKEY *copenssl_rsa_public_key(const unsigned char *n, size_t n_length, const unsigned char *e,
                                                size_t e_length) {
    EVP_PKEY *key = NULL;
    BIGNUM *modulus = BN_bin2bn(n, (int)n_length, NULL);
    BIGNUM *exponent = BN_bin2bn(e, (int)e_length, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (modulus && exponent && builder && context
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent)
        && (parameters = OSSL_PARAM_BLD_to_param(builder)) != NULL && EVP_PKEY_fromdata_init(context) == 1) {
        if (EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) key = NULL;
    }
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    BN_free(exponent);
    BN_free(modulus);
    if (!key) ERR_clear_error();
    return key;
}

// RSASSA-PKCS1-v1_5 with the given digest. Failures leave nothing in the thread's error queue, which libcurl's TLS reads.
static inline int copenssl_verify(EVP_MD_CTX *context, const EVP_MD *digest, EVP_PKEY *key, const void *signature,
                                  size_t signature_length, const void *text, size_t text_length) {
    EVP_PKEY_CTX *settings = NULL;
    int is_valid = EVP_MD_CTX_reset(context) == 1
                   && EVP_DigestVerifyInit(context, &settings, digest, NULL, key) == 1
                   && EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PADDING) == 1
                   && EVP_DigestVerify(context, (const unsigned char *)signature, signature_length,
                                       (const unsigned char *)text, text_length) == 1;
    if (!is_valid) ERR_clear_error();
    return is_valid;
}

#endif
