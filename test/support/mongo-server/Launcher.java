import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/**
 * Starts mongo-java-server on a free port of 127.0.0.1, prints "port N", and ends when its standard input closes, so that
 * it never outlives the test that started it.
 */
public class Launcher {
    /** By itself the library announces wire version 8; MongoDB's Node driver 7.9 refuses anything below 9. */
    private static final MongoVersion VERSION = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(7, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 21;
        }
    };

    public static void main(String[] arguments) throws Exception {
        MemoryBackend backend = new MemoryBackend();
        backend.version(VERSION);
        MongoServer server = new MongoServer(backend);
        server.enableOplog();
        server.bind("127.0.0.1", 0);
        System.out.println("port " + server.getLocalAddress().getPort());
        System.out.flush();
        while (System.in.read() != -1) {
            // Whatever is typed is ignored: only the end of the stream counts.
        }
        Runtime.getRuntime().halt(0);
    }
}
