/* certificate.c - see certificate.h.
 *
 * GnuTLS would take both texts in one call, gnutls_certificate_set_x509_key_
 * mem2(), but its error does not say which of the two files is at fault.  So
 * each is read alone first, and that call finds only that they do not match.
 */
#include "net/certificate.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#define MAX_FILE ((size_t)1 << 20) /* chains have some thousands of bytes */

/* The certificate being read. */
struct reading {
	const char *cert_path, *key_path;
	struct file_text cert, key;
	time_t since, until;
	char *why; /* of CERTIFICATE_WHY_SIZE */
};

static bool
read_file(struct reading *reading, const char *path, struct file_text *out)
{
	char why[FILE_WHY_SIZE];

	return file_read(path, MAX_FILE, out, why) ||
	    refuse_because(reading->why, "cannot read '%s': %s", path, why);
}

/* As GnuTLS takes it; borrowed. */
static gnutls_datum_t
datum_of(const struct file_text *text)
{
	return (
	    gnutls_datum_t){ (unsigned char *)text->data, (unsigned)text->len };
}

static bool
check_cert(struct reading *reading)
{
	gnutls_datum_t cert = datum_of(&reading->cert);
	gnutls_x509_crt_t *chain = NULL;
	unsigned n = 0;
	int result = gnutls_x509_crt_list_import2(
	    &chain, &n, &cert, GNUTLS_X509_FMT_PEM, 0);

	if (result < 0 || n == 0)
		return refuse_because(reading->why,
		    "'%s' has no certificate (in PEM): %s", reading->cert_path,
		    gnutls_strerror(
			result < 0 ? result : GNUTLS_E_NO_CERTIFICATE_FOUND));
	reading->since = gnutls_x509_crt_get_activation_time(chain[0]);
	reading->until = gnutls_x509_crt_get_expiration_time(chain[0]);
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	return true;
}

/* No one can type a password. */
static bool
is_encrypted(const char *text)
{
	return strstr(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
	    strstr(text, "Proc-Type: 4,ENCRYPTED");
}

static bool
check_key(struct reading *reading)
{
	gnutls_datum_t text = datum_of(&reading->key);
	gnutls_privkey_t key;
	int result;

	if (is_encrypted(reading->key.data))
		return refuse_because(reading->why,
		    "the key in '%s' is encrypted: decrypt it (openssl pkey "
		    "-in ...), since the daemon cannot ask for a password",
		    reading->key_path);
	result = gnutls_privkey_init(&key);
	if (result == GNUTLS_E_SUCCESS) {
		result = gnutls_privkey_import_x509_raw(
		    key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
		gnutls_privkey_deinit(key);
	}
	if (result < 0)
		return refuse_because(reading->why,
		    "'%s' has no private key (in PEM): %s", reading->key_path,
		    gnutls_strerror(result));
	return true;
}

/* Both together; NULL: refused. */
static struct certificate *
join(struct reading *reading)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t cert = datum_of(&reading->cert);
	gnutls_datum_t key = datum_of(&reading->key);
	struct certificate *certificate;
	int result = gnutls_certificate_allocate_credentials(&credentials);

	if (result < 0) {
		refuse_because(reading->why, "%s", gnutls_strerror(result));
		return NULL;
	}
	result = gnutls_certificate_set_x509_key_mem2(
	    credentials, &cert, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (result >= 0) {
		certificate = mem_new(sizeof(*certificate));
		certificate->credentials = credentials;
		certificate->n_users = 1;
		return certificate;
	}
	gnutls_certificate_free_credentials(credentials);
	if (result == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		refuse_because(reading->why,
		    "the key in '%s' does not belong to the certificate in "
		    "'%s'",
		    reading->key_path, reading->cert_path);
	else
		refuse_because(reading->why,
		    "the certificate in '%s' cannot be used with the key in "
		    "'%s': %s",
		    reading->cert_path, reading->key_path,
		    gnutls_strerror(result));
	return NULL;
}

static void
warn(const struct reading *reading)
{
	int64_t now = clock_unix_s();

	if (reading->key.is_exposed)
		log_warning(
		    "everybody can read the key in '%s'", reading->key_path);
	if (now >= reading->until)
		log_warning(
		    "the certificate in '%s' has expired", reading->cert_path);
	if (now < reading->since)
		log_warning("the certificate in '%s' is not valid yet",
		    reading->cert_path);
}

struct certificate *
certificate_read(const char *cert_path, const char *key_path, char *out_why)
{
	struct reading reading = {
		.cert_path = cert_path, .key_path = key_path, .why = out_why
	};
	struct certificate *certificate = NULL;

	if (read_file(&reading, cert_path, &reading.cert) &&
	    check_cert(&reading) &&
	    read_file(&reading, key_path, &reading.key) && check_key(&reading))
		certificate = join(&reading);
	if (certificate)
		warn(&reading);
	file_forget(&reading.cert);
	file_forget(&reading.key);
	return certificate;
}

struct certificate *
certificate_share(struct certificate *certificate)
{
	certificate->n_users++;
	return certificate;
}

void
certificate_release(struct certificate *certificate)
{
	if (!certificate || --certificate->n_users > 0)
		return;
	gnutls_certificate_free_credentials(certificate->credentials);
	free(certificate);
}
