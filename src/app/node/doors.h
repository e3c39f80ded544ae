// Adapters where the doors meet identity and the catalogue of streams: features never include one
// another, so app plugs one's port with the other. Any loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "eventlog/events/events_handler.h"
#include "eventlog/kafka/ports.h"
#include "eventlog/streams.h"
#include "gateway/authenticator.h"
#include "http/server.h"
#include "identity/identity.h"
#include "identity/token_issuers.h"

namespace weft::app {

// API keys at the gateway.
class GatewayKeys final : public gateway::Authenticator {
 public:
  explicit GatewayKeys(const identity::Identity& identity) : identity_(identity) {}
  Result<identity::PrincipalRef> authenticate(std::string_view api_key) const override {
    return identity_.authenticate_api_key(api_key);
  }

 private:
  const identity::Identity& identity_;
};

// API keys as SASL PLAIN passwords at the Kafka listener, where the user name is free text, and the
// SCRAM passwords, certificates and tokens of Clients.
class KafkaKeys final : public kafka::Authenticator {
 public:
  KafkaKeys(const identity::Identity& identity, identity::TokenIssuers& issuers)
      : identity_(identity), issuers_(issuers) {}
  Result<identity::PrincipalRef> authenticate(std::string_view,
                                              std::string_view password) const override {
    return identity_.authenticate_api_key(password);
  }
  identity::ScramLogin find_scram(identity::ScramMechanism mechanism,
                                  std::string_view user) const override {
    return identity_.find_scram(mechanism, user);
  }
  Result<identity::PrincipalRef> authenticate_certificate(
      const PeerCertificate& certificate) const override {
    return identity_.authenticate_certificate(certificate.subject, certificate.names);
  }
  Task<Result<identity::TokenLogin>> authenticate_token(std::string token) const override {
    return issuers_.authenticate(std::move(token));
  }
  Result<identity::PrincipalRef> renew_token(const identity::TokenLogin& login) const override {
    return issuers_.renew(login);
  }

 private:
  const identity::Identity& identity_;
  identity::TokenIssuers& issuers_;
};

// API keys at the CloudEvents door.
class EventsKeys final : public eventlog::EventsAuthenticator {
 public:
  explicit EventsKeys(const identity::Identity& identity) : identity_(identity) {}
  Result<identity::PrincipalRef> authenticate(std::string_view api_key) const override {
    return identity_.authenticate_api_key(api_key);
  }

 private:
  const identity::Identity& identity_;
};

// The gateway's listener: CloudEvents at /events/, everything else is the gateway's.
class GatewayDoor final : public http::Handler {
 public:
  GatewayDoor(http::Handler& gateway, http::Handler* events) : gateway_(gateway), events_(events) {}
  Task<void> handle(http::Exchange& exchange) override {
    if (events_ != nullptr && exchange.head().path.starts_with("/events/"))
      return events_->handle(exchange);
    return gateway_.handle(exchange);
  }

 private:
  http::Handler& gateway_;
  http::Handler* events_;
};

}  // namespace weft::app
