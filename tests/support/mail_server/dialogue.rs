//! The dialogue of the mail server of the tests with one client.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use base64::prelude::{BASE64_STANDARD, Engine};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{LOGIN, Open, Protection, ReceivedMail, Reply, SERVER_TEXT, State, Step};

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

type Connection = BufReader<Box<dyn Stream>>;

fn plain(client: &TcpStream) -> io::Result<Connection> {
    client.set_nodelay(true)?;
    Ok(BufReader::new(Box::new(client.try_clone()?)))
}

fn protected(client: &TcpStream, config: &Arc<ServerConfig>) -> io::Result<Connection> {
    let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    Ok(BufReader::new(Box::new(StreamOwned::new(session, client.try_clone()?))))
}

/// The argument of a command, such as `<ann@example.com>` of `RCPT TO:<ann@example.com>`.
fn argument(line: &str) -> String {
    line.split_once(':').map_or("", |(_, argument)| argument).trim().to_owned()
}

impl State {
    /// Converses until the client quits. An error ends the connection.
    pub(super) fn converse(&self, client: &TcpStream, open: Open<'_>) -> io::Result<()> {
        let mut connection = match &self.protection {
            Protection::Tls(config) => protected(client, config)?,
            _ => plain(client)?,
        };
        let mut mail = self.nothing();
        self.step(&mut connection, Step::Greeting, "", "220 localhost ESMTP")?;
        loop {
            let mut line = String::new();
            if connection.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            let command = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            match command.as_str() {
                "EHLO" => {
                    mail.client = line[4..].trim().to_owned();
                    self.step(&mut connection, Step::Ehlo, line, &self.greeting(mail.is_protected))?;
                }
                "STARTTLS" => {
                    let begun = self.step(&mut connection, Step::StartTls, line, "220 go ahead")?;
                    if let (true, Protection::StartTls(config)) = (begun, &self.protection) {
                        connection = protected(client, config)?;
                        mail.is_protected = true;
                    }
                }
                "AUTH" => mail.has_signed_in = self.sign_in(&mut connection, line)?,
                "MAIL" => {
                    if self.step(&mut connection, Step::Mail, line, "250 ok")? {
                        mail.from = argument(line);
                    }
                }
                "RCPT" => {
                    if self.step(&mut connection, Step::Rcpt, line, "250 ok")? {
                        mail.to.push(argument(line));
                    }
                }
                "DATA" => {
                    if self.step(&mut connection, Step::Data, line, "354 go ahead")? {
                        self.receive(&mut connection, &mut mail)?;
                        self.step(&mut connection, Step::End, line, "250 taken")?;
                    }
                }
                "QUIT" => {
                    drop(open);
                    return write(&mut connection, "221 bye");
                }
                _ => write(&mut connection, "502 unknown command")?,
            }
        }
    }

    fn nothing(&self) -> ReceivedMail {
        ReceivedMail {
            from: String::new(),
            to: Vec::new(),
            client: String::new(),
            is_protected: matches!(self.protection, Protection::Tls(_)),
            has_signed_in: false,
            text: String::new(),
        }
    }

    /// The reply to EHLO. Before STARTTLS it offers nothing else.
    fn greeting(&self, is_protected: bool) -> String {
        let must_start = matches!(self.protection, Protection::StartTls(_)) && !is_protected;
        let extensions = if must_start { &["STARTTLS"][..] } else { &self.extensions };
        let (last, first) = extensions.split_last().unwrap_or((&"HELP", &[]));
        let first: String = first.iter().map(|line| format!("250-{line}\r\n")).collect();
        format!("250-localhost\r\n{first}250 {last}")
    }

    fn sign_in(&self, connection: &mut Connection, line: &str) -> io::Result<bool> {
        let given = line.rsplit(' ').next().and_then(|text| BASE64_STANDARD.decode(text).ok());
        let (user, password) = LOGIN;
        if given.as_deref() == Some(format!("\0{user}\0{password}").as_bytes()) {
            self.step(connection, Step::Auth, line, "235 signed in")
        } else {
            write(connection, &format!("535 {SERVER_TEXT}"))?;
            Ok(false)
        }
    }

    /// Reads the text of a mail and keeps it, before it is acknowledged.
    fn receive(&self, connection: &mut Connection, mail: &mut ReceivedMail) -> io::Result<()> {
        loop {
            let mut line = Vec::new();
            if connection.read_until(b'\n', &mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if mail.text.is_empty() {
                match self.reply(Step::Text, "") {
                    Reply::Cut => return Err(io::ErrorKind::ConnectionAborted.into()),
                    Reply::Late(pause) => thread::sleep(pause),
                    _ => {}
                }
            }
            if line == b".\r\n" {
                self.mails.lock().expect("no holder panics").push(mail.clone());
                mail.text.clear();
                return Ok(());
            }
            mail.text +=
                str::from_utf8(line.strip_prefix(b".").unwrap_or(&line)).map_err(io::Error::other)?;
        }
    }

    /// Replies to a step. Returns whether the server goes on; an error ends the connection.
    fn step(&self, connection: &mut Connection, step: Step, line: &str, accepted: &str) -> io::Result<bool> {
        match self.reply(step, line) {
            Reply::Ok => write(connection, accepted).map(|()| true),
            Reply::Late(pause) => {
                thread::sleep(pause);
                write(connection, accepted).map(|()| true)
            }
            Reply::Text(reply) => write(connection, reply).map(|()| true),
            Reply::Code(code) => write(connection, &format!("{code} {SERVER_TEXT}")).map(|()| false),
            Reply::Cut => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

fn write(connection: &mut Connection, reply: &str) -> io::Result<()> {
    let stream = connection.get_mut();
    stream.write_all(format!("{reply}\r\n").as_bytes())?;
    stream.flush()
}
