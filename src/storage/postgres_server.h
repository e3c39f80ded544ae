// For tests: a PostgreSQL server of Debian's package in a new folder, on a free port of the
// loopback, ended by its process id. A second one can follow it as a streaming standby.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "storage/temporary_folder.h"

extern char** environ;

namespace weft::storage {

// Where postgres and its tools are: the newest version of those that Debian keeps side by side, or
// the folder that WEFT_POSTGRES_BIN names.
inline std::string postgres_programs() {
  if (const char* named = std::getenv("WEFT_POSTGRES_BIN")) return named;
  std::error_code missing;
  std::string newest;
  double version = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", missing)) {
    auto programs = entry.path() / "bin";
    double number = std::atof(entry.path().filename().c_str());
    if (number <= version || !std::filesystem::exists(programs / "postgres")) continue;
    version = number;
    newest = programs;
  }
  ENSURE(!newest.empty(), "Debian's package postgresql is installed, or WEFT_POSTGRES_BIN is set");
  return newest;
}

class PostgresServer {
 public:
  PostgresServer() {
    own_folder();
    run({"initdb", "-D", data(), "-U", "weft", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"});
    start();
  }
  // A standby of `primary`, which streams what that one commits.
  explicit PostgresServer(const PostgresServer& primary) {
    own_folder();
    run({"pg_basebackup", "-D", data(), "-R", "-X", "stream", "-c", "fast", "-d",
         primary.url("postgres")});
    start();
  }
  ~PostgresServer() { stop(SIGQUIT); }
  PostgresServer& operator=(const PostgresServer&) = delete;

  std::string port() const { return std::to_string(port_); }
  std::string url(const std::string& database) const {
    return "postgresql://weft@127.0.0.1:" + port() + "/" + database;
  }
  void create_database(const std::string& name) { sql("postgres", "CREATE DATABASE " + name); }
  // What psql prints, without headings.
  std::string sql(const std::string& database, const std::string& text) {
    auto said = folder_.file("said");
    run({"psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-o", said, "-c", text,
         url(database)});
    std::string words;
    if (FILE* file = std::fopen(said.c_str(), "r")) {
      char bytes[4096];
      words.assign(bytes, std::fread(bytes, 1, sizeof bytes, file));
      std::fclose(file);
    }
    while (!words.empty() && words.back() == '\n') words.pop_back();
    return words;
  }
  void promote() { run({"pg_ctl", "promote", "-w", "-D", data()}); }

  void start() {
    if (port_ == 0) port_ = free_port();
    pid_ = spawn({"postgres", "-D", data(), "-p", port(), "-c", "listen_addresses=127.0.0.1", "-c",
                  "unix_socket_directories=" + folder_.path(), "-c", "max_connections=60", "-c",
                  "wal_level=replica", "-c", "deadlock_timeout=50ms"});
    for (int tries = 0; try_run({"pg_isready", "-q", "-h", "127.0.0.1", "-p", port()}) != 0;) {
      ENSURE(++tries < 1000, "PostgreSQL starts within its time");
    }
  }
  void stop(int how = SIGINT) {
    if (!pid_) return;
    ::kill(*pid_, SIGCONT);
    ::kill(*pid_, how);
    ::waitpid(*pid_, nullptr, 0);
    pid_.reset();
  }
  pid_t pid() const { return *pid_; }

 private:
  std::string data() const { return folder_.file("data"); }

  // The server refuses to run as root.
  void own_folder() const {
    const auto* owner = ::getpwnam("postgres");
    ENSURE(owner != nullptr, "Debian's package postgresql is installed");
    if (::geteuid() != 0) return;
    ENSURE(::chown(folder_.path().c_str(), owner->pw_uid, owner->pw_gid) == 0, "chown works");
  }

  pid_t spawn(std::vector<std::string> words) const {
    static const std::string programs = postgres_programs();
    words[0] = programs + "/" + words[0];
    std::vector<std::string> all = {"/usr/bin/setpriv", "--pdeathsig", "KILL"};
    if (::geteuid() == 0) {
      for (const char* word : {"--reuid=postgres", "--regid=postgres", "--init-groups"}) {
        all.emplace_back(word);
      }
    }
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> argv;
    for (auto& word : all) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    auto output = folder_.file("output");
    for (int descriptor : {1, 2}) {
      posix_spawn_file_actions_addopen(&actions, descriptor, output.c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0666);
    }
    pid_t child = 0;
    int failed = ::posix_spawn(&child, all[0].c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ENSURE(failed == 0, "setpriv can be run");
    return child;
  }
  int try_run(std::vector<std::string> words) const {
    int status = 0;
    auto child = spawn(std::move(words));
    ::waitpid(child, &status, 0);
    return status;
  }
  void run(std::vector<std::string> words) const {
    ENSURE(try_run(std::move(words)) == 0, "a PostgreSQL program succeeds");
  }
  static int free_port() {
    int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ENSURE(::bind(probe, generic, size) == 0, "there is a free port");
    ENSURE(::getsockname(probe, generic, &size) == 0, "a bound socket has a name");
    ::close(probe);
    return ntohs(address.sin_port);
  }

  TemporaryFolder folder_;
  int port_ = 0;
  std::optional<pid_t> pid_;
};

// One server for all tests of a program; each test has a database of its own in it.
inline PostgresServer& shared_postgres() {
  static PostgresServer server;
  return server;
}

}  // namespace weft::storage
