//! Hands mails to a mail server, each over its own connection: a connection that is kept would often be closed by
//! the server before the next mail. The steps are separate calls, because only a refusal of the mail itself is
//! final, not one of the connection or of the login.

use std::time::Duration;

use anyhow::{Context, Result};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use secrecy::ExposeSecret;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::attempt::{Attempt, quit};
use super::error::SendError;
use super::message::Message;
use super::server::{Security, SmtpServer};
use super::unbuffered::Unbuffered;
use super::values::Delivery;

/// The maximum duration of an attempt. The library has no limit for a server that replies slowly.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum duration of a connection attempt to one of the server's addresses.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The lowest code that refuses a mail for good.
const FIRST_FINAL_CODE: u16 = 500;
/// Codes from 500 that ask for a login or for TLS, or refuse the login. Another configuration helps.
const LOGIN_CODES: [u16; 4] = [530, 534, 535, 538];

/// A client of one mail server.
pub struct SmtpClient {
    server: SmtpServer,
    own_name: ClientId,
    tls: TlsParameters,
}

impl SmtpClient {
    /// A client that calls itself `own_name`: a domain, or an IP address, in brackets if it is IPv6.
    ///
    /// Errors: the certificates in SSL_CERT_FILE cannot be used.
    pub fn new(server: SmtpServer, own_name: String) -> Result<Self> {
        let tls =
            TlsParameters::builder(server.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
        let tls = own_certificates()?.into_iter().fold(tls, |tls, own| tls.add_root_certificate(own));
        let tls = tls.build().ok().context("SSL_CERT_FILE has a certificate that cannot be used")?;
        Ok(Self { server, own_name: client_id(own_name), tls })
    }

    /// Connects and signs in, and returns what was done.
    pub async fn check(&self) -> Result<String, SendError> {
        let connected = timeout(ATTEMPT_TIMEOUT, self.connect()).await.unwrap_or(Err(TOO_SLOW));
        quit(connected?).await;
        let login = if self.server.login.is_some() { ", signed in" } else { ", without a login" };
        Ok(format!("{}{login}", self.server))
    }

    /// Tries to hand over a mail.
    pub async fn send(&self, message: &Message) -> Attempt {
        let attempt = async {
            let mut connection = self.connect().await?;
            let result = hand_over(&mut connection, message).await;
            Ok(Attempt::on(connection, result))
        };
        let done = timeout(ATTEMPT_TIMEOUT, attempt).await.unwrap_or(Err(TOO_SLOW));
        done.unwrap_or_else(|error| Attempt::without_connection(Err(error)))
    }

    /// Opens a TCP connection to one of the server's addresses, and reads the greeting.
    async fn open(&self) -> Result<AsyncSmtpConnection, SendError> {
        let SmtpServer { host, port, security, .. } = &self.server;
        let unreachable = SendError::temporary(match security {
            Security::Tls => "the mail server cannot be reached, or its certificate is not valid",
            Security::StartTls | Security::None => {
                "the mail server cannot be reached, or does not reply as one"
            }
        });
        let (address, name) = ((host.as_str(), *port), &self.own_name);
        let opened = if *security == Security::StartTls {
            let stream = dial(address).await.ok_or(unreachable)?;
            AsyncSmtpConnection::connect_with_transport(Box::new(Unbuffered(stream)), name).await
        } else {
            let tls = (*security == Security::Tls).then(|| self.tls.clone());
            AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT_TIMEOUT), name, tls, None).await
        };
        opened.map_err(|error| match code(&error) {
            None => unreachable,
            code => SendError::temporary("the mail server refused the connection").with_code(code),
        })
    }

    /// Opens a connection that accepts mails. No error of it is final.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let SmtpServer { security, login, .. } = &self.server;
        let mut connection = self.open().await?;
        if *security == Security::StartTls {
            let protecting = connection.starttls(self.tls.clone(), &self.own_name);
            protecting.await.map_err(|error| {
                SendError::temporary("the mail server has no STARTTLS, or its certificate is not valid")
                    .with_code(code(&error))
            })?;
        }
        if let Some((user, password)) = login {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| {
                SendError::temporary("the mail server refused the login").with_code(code(&error))
            })?;
        }
        Ok(connection)
    }
}

/// A TCP connection to the first address that accepts one.
async fn dial(address: (&str, u16)) -> Option<TcpStream> {
    for address in lookup_host(address).await.ok()? {
        if let Ok(Ok(stream)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            return Some(stream);
        }
    }
    None
}

const TOO_SLOW: SendError = SendError::temporary("the mail server did not reply in time");

/// The certificates of private authorities, in the file that OpenSSL uses too. The usual ones are in the program.
fn own_certificates() -> Result<Vec<Certificate>> {
    let Some(file) = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()) else {
        return Ok(Vec::new());
    };
    let certificates = std::fs::read(file).ok().and_then(|pem| Certificate::from_pem(&pem).ok());
    certificates
        .map(|certificate| vec![certificate])
        .context("SSL_CERT_FILE must be a readable file with certificates in PEM")
}

fn client_id(name: String) -> ClientId {
    let address = name.trim_start_matches('[').trim_end_matches(']').parse();
    match address {
        Ok(std::net::IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(std::net::IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(name),
    }
}

/// The dialogue about one mail.
async fn hand_over(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<Delivery, SendError> {
    let (from, to) = (message.envelope.from(), message.envelope.to());
    let mut parameters = Vec::new();
    if !message.bytes.is_ascii()
        || to.iter().chain(from).any(|address| !AsRef::<str>::as_ref(address).is_ascii())
    {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(SendError::permanent("the mail server accepts only ASCII addresses"));
        }
        parameters = vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)];
    }
    connection.command(Mail::new(from.cloned(), parameters)).await.map_err(refused)?;
    for recipient in to {
        connection.command(Rcpt::new(recipient.clone(), Vec::new())).await.map_err(refused)?;
    }
    connection.command(Data).await.map_err(refused)?;
    // The library ends the text with a line break of its own.
    let text = message.bytes.strip_suffix(b"\r\n").unwrap_or(&message.bytes);
    let reply = connection.message(text).await.map_err(refused)?;
    Ok(Delivery { smtp_code: Some(reply.code().into()), file: None })
}

fn code(error: &lettre::transport::smtp::Error) -> Option<u16> {
    error.status().map(u16::from)
}

/// The error of a step about the mail itself.
fn refused(error: lettre::transport::smtp::Error) -> SendError {
    match code(&error) {
        None => SendError::temporary("the connection to the mail server was lost"),
        Some(code) if code >= FIRST_FINAL_CODE && !LOGIN_CODES.contains(&code) => {
            SendError::permanent("the mail server refused the mail").with_code(Some(code))
        }
        code => SendError::temporary("the mail server did not take the mail yet").with_code(code),
    }
}
