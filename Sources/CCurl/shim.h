// libcurl's setters are variadic, which Swift cannot call: one typed function per kind of argument.
#ifndef SLUICE_CCURL_H
#define SLUICE_CCURL_H

#define CURL_STRICTER
#include <curl/curl.h>

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
// libcurl copies the string.
static inline CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
// libcurl keeps the pointer: the bytes must outlive the transfer.
static inline CURLcode ccurl_set_post_bytes(CURL *easy, const void *bytes) {
    return curl_easy_setopt(easy, CURLOPT_POSTFIELDS, bytes);
}
// libcurl keeps the pointer: the list must outlive the transfer.
static inline CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *list) {
    return curl_easy_setopt(easy, option, list);
}
// libcurl only reads it: the URL must outlive the handle's last transfer.
static inline CURLcode ccurl_set_url(CURL *easy, CURLU *url) { return curl_easy_setopt(easy, CURLOPT_CURLU, url); }
static inline CURLcode ccurl_set_private(CURL *easy, void *object) {
    return curl_easy_setopt(easy, CURLOPT_PRIVATE, object);
}

typedef size_t (*ccurl_bytes_callback)(char *bytes, size_t size, size_t count, void *object);
static inline CURLcode ccurl_set_write_callback(CURL *easy, ccurl_bytes_callback callback, void *object) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, callback);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_WRITEDATA, object);
}
static inline CURLcode ccurl_set_header_callback(CURL *easy, ccurl_bytes_callback callback, void *object) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, callback);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_HEADERDATA, object);
}
static inline CURLcode ccurl_set_read_callback(CURL *easy, ccurl_bytes_callback callback, void *object) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_READFUNCTION, callback);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_READDATA, object);
}

static inline CURLcode ccurl_set_before_request_callback(CURL *easy, curl_prereq_callback callback, void *object) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_PREREQDATA, object);
}
static inline CURLcode ccurl_set_close_callback(CURL *easy, curl_closesocket_callback callback, void *object) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, callback);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, object);
}

static inline CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}
// The file of trusted certificates; NULL where there is none.
static inline const char *ccurl_get_authorities(CURL *easy) {
    char *file = NULL;
    curl_easy_getinfo(easy, CURLINFO_CAINFO, &file);
    return file;
}
static inline void *ccurl_get_private(CURL *easy) {
    char *object = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &object);
    return object;
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode ccurl_multi_set_socket_callback(CURLM *multi, curl_socket_callback callback, void *object) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback);
    return code != CURLM_OK ? code : curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, object);
}
static inline CURLMcode ccurl_multi_set_timer_callback(CURLM *multi, curl_multi_timer_callback callback, void *object) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback);
    return code != CURLM_OK ? code : curl_multi_setopt(multi, CURLMOPT_TIMERDATA, object);
}

static inline CURLcode ccurl_message_result(const CURLMsg *message) { return message->data.result; }

#endif
