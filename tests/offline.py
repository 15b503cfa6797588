"No test needs the network: this makes sure that none uses it."
import sys

LOCAL = {'localhost', '127.0.0.1', '::1', '0.0.0.0', '', None}


def _refuse_the_network(event, args):
    "An audit hook: name look-ups and connections may only stay on this machine."
    if event == 'socket.getaddrinfo': host = args[0]
    elif event == 'socket.connect' and isinstance(args[1], tuple): host = args[1][0]
    else: return
    if isinstance(host, bytes): host = host.decode()
    if host not in LOCAL: raise ConnectionRefusedError(f'a test asked for the network: {host}')


def forbid_network():
    "From here on, any connection that would leave this machine is refused. There is no way back: audit hooks stay."
    sys.addaudithook(_refuse_the_network)
