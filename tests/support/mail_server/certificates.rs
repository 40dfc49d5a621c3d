//! Certificates of an authority that only one test knows.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;

/// An authority with one certificate for `localhost`.
pub struct Authority {
    /// The certificate of the authority, for SSL_CERT_FILE.
    pub pem: String,
    /// The certificate and the key of the server.
    pub server_pem: (String, String),
    /// TLS with the certificate of the server.
    pub config: Arc<ServerConfig>,
}

impl Authority {
    /// A new authority.
    pub fn new() -> Self {
        let mut own = CertificateParams::new(Vec::new()).expect("no name is malformed");
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = || KeyPair::generate().expect("the system has random numbers");
        let issuer = CertifiedIssuer::self_signed(own, key()).expect("the parameters are valid");
        let names = CertificateParams::new(vec!["localhost".to_owned()]).expect("the name is valid");
        let server_key = key();
        let server = names.signed_by(&server_key, &issuer).expect("the parameters are valid");
        let server_pem = (server.pem(), server_key.serialize_pem());
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![server.der().clone()], PrivateKeyDer::from(server_key))
            .expect("the key belongs to the certificate");
        Self { pem: issuer.pem(), server_pem, config: Arc::new(config) }
    }
}
